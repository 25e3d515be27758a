-- The end of its last job. The condition makes it happen once, and whoever asked to be told of it
-- gets a message by the same statement: of the kind that tells most of those that were asked for.
-- $1 batch, $2 its status.
with finished as (
    update jobrunner.batch set status = $2, finished_at = clock_timestamp() where id = $1 and finished_at is null
    returning id, owner_id, name, status
), told as (
    select s.id as subscription_id, f.id as batch_id, f.name as batch_name,
           case when f.status = 2 and s.kinds like '%"recovered"%'
                     and (select b.status from jobrunner.batch b
                          where b.name = f.name and b.owner_id = f.owner_id and b.id < f.id
                            and b.finished_at is not null
                          order by b.id desc limit 1) = 3 then 'recovered'
                when f.status = 3 and s.kinds like '%"failed"%' then 'failed'
                when s.kinds like '%"finished"%' then 'finished' end as kind
    from finished f
    join jobrunner.subscription s on s.owner_id = f.owner_id
    where s.is_enabled and (s.batch_name is null or s.batch_name = f.name)
)
insert into jobrunner.delivery (id, subscription_id, kind, batch_id, batch_name, created_at, due_at)
select jobrunner.uuid7(), subscription_id, kind, batch_id, batch_name, clock_timestamp(), clock_timestamp()
from told where kind is not null
