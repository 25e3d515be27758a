-- Adds a delivery of the first failure of the batches $1 for each subscription that asks for it,
-- once of each batch.
insert into jobrunner.delivery (id, subscription_id, kind, batch_id, batch_name, created_at, due_at)
select jobrunner.uuid7(), s.id, 'first_failure', b.id, b.name, clock_timestamp(), clock_timestamp()
from jobrunner.batch b
join jobrunner.subscription s on s.owner_id = b.owner_id
where b.id = any($1) and s.is_enabled and s.kinds like '%"first_failure"%'
  and (s.batch_name is null or s.batch_name = b.name)
order by b.id, s.id
on conflict (batch_id, subscription_id, kind) do nothing
