-- Whoever asked to be told of the end of batch $1 gets a message: of the kind that tells most of
-- those that were asked for. $2 now.
insert into delivery (id, subscription_id, kind, batch_id, batch_name, created_at, due_at)
select unhex(printf('%012x', $2) || '7' || substr(hex(randomblob(2)), 1, 3) || '8' || hex(randomblob(7))
             || substr(hex(randomblob(1)), 1, 1)),
       subscription_id, kind, batch_id, batch_name, $2, $2
from (
    select s.id as subscription_id, f.id as batch_id, f.name as batch_name,
           case when f.status = 2 and s.kinds like '%"recovered"%'
                     and (select b.status from batch b
                          where b.name = f.name and b.owner_id = f.owner_id and b.id < f.id
                            and b.finished_at is not null
                          order by b.id desc limit 1) = 3 then 'recovered'
                when f.status = 3 and s.kinds like '%"failed"%' then 'failed'
                when s.kinds like '%"finished"%' then 'finished' end as kind
    from batch f
    join subscription s on s.owner_id = f.owner_id
    where f.id = $1 and s.is_enabled and (s.batch_name is null or s.batch_name = f.name))
where kind is not null
