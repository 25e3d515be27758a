-- Adds a delivery of the first failure of the batches $1 for each subscription that asks for it,
-- once of each batch.
insert into jobrunner.delivery (id, subscription_id, kind, batch_id, batch_name, created_at, due_at, state)
select jobrunner.uuid7(), s.id, 'first_failure', b.id, b.name, clock_timestamp(), coalesce(s.window_ends_at, clock_timestamp()), case when s.window_ends_at is null then 0 else 3 end
from jobrunner.batch b
join jobrunner.subscription s
  on (s.owner_id = b.owner_id and s.project is null) or s.project = b.project
where b.id = any($1) and s.kinds like '%"first_failure"%'
  and s.is_enabled and (s.batch_name is null or s.batch_name = b.name)
  and (s.series is null
       or s.series = (select e.name from jobrunner.run r join jobrunner.series e on e.no = r.series_no
                      where r.batch_id = b.id))
order by b.id, s.id
on conflict (batch_id, subscription_id, kind) do nothing
