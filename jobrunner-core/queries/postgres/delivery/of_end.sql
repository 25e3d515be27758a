-- Whoever asked to be told of the end of batch $1 gets a message: of the kind that tells most of
-- those that were asked for. Its verdict is known.
insert into jobrunner.delivery (id, subscription_id, kind, batch_id, batch_name, created_at, due_at, state)
select jobrunner.uuid7(),
       t.id, t.kind, t.batch_id, t.batch_name, clock_timestamp(), coalesce(t.window_ends_at, clock_timestamp()), case when t.window_ends_at is null then 0 else 3 end
from (
    select s.id, s.window_ends_at, f.id as batch_id, f.name as batch_name,
           case when f.status = 2 and s.kinds like '%"recovered"%'
                     and (select b.status from jobrunner.batch b
                          where b.name = f.name and b.owner_id = f.owner_id and b.id < f.id
                            and b.finished_at is not null
                          order by b.id desc limit 1) = 3 then 'recovered'
                when s.kinds like '%"new_failures"%'
                     and (select (r.verdict::jsonb ->> 'new')::bigint from jobrunner.run r where r.batch_id = f.id) > 0
                     then 'new_failures'
                when f.status = 3 and s.kinds like '%"failed"%' then 'failed'
                when s.kinds like '%"finished"%' then 'finished' end as kind
    from jobrunner.batch f
    join jobrunner.subscription s
      on (s.owner_id = f.owner_id and s.project is null) or s.project = f.project
    where f.id = $1 and s.is_enabled and (s.batch_name is null or s.batch_name = f.name)
      and (s.series is null
           or s.series = (select e.name from jobrunner.run r join jobrunner.series e on e.no = r.series_no
                          where r.batch_id = f.id))) t
where t.kind is not null
