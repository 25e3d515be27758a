-- Adds a delivery of the first failure of the batch $1 for each subscription that asks for it,
-- once of each batch.
-- $2 now.
insert into delivery (id, subscription_id, kind, batch_id, batch_name, created_at, due_at, state)
select unhex(printf('%012x', $2) || '7' || substr(hex(randomblob(2)), 1, 3) || '8' || hex(randomblob(7))
             || substr(hex(randomblob(1)), 1, 1)),
       s.id, 'first_failure', b.id, b.name, $2, coalesce(s.window_ends_at, $2), case when s.window_ends_at is null then 0 else 3 end
from batch b
join subscription s
  on (s.owner_id = b.owner_id and s.project is null) or s.project = b.project
where b.id = $1 and s.kinds like '%"first_failure"%'
  and s.is_enabled and (s.batch_name is null or s.batch_name = b.name)
  and (s.series is null
       or s.series = (select e.name from run r join series e on e.no = r.series_no
                      where r.batch_id = b.id))
  and not exists (select 1 from delivery d
                  where d.batch_id = b.id and d.subscription_id = s.id and d.kind = 'first_failure')
