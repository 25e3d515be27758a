-- Queues with what waits and runs in them: the one named $1, or if that is null $3 of them after
-- the name $2. The oldest job of each place in a lane is found by index.
with recursive place (prio) as (select 0 union all select prio + 1 from place where prio < 10)
select q.name, q.paused, q.weight,
       (select count(*) from lane l join ready r on r.lane_id = l.id where l.queue = q.name) as waiting,
       (select count(*) from lease s join job j on j.id = s.job_id join lane l on l.id = j.lane_id
        where l.queue = q.name and s.started_at is not null) as running,
       (select min(j.created_at)
        from lane l cross join place p
        cross join job j on j.id = (select job_id from ready where lane_id = l.id and prio = p.prio
                                    order by job_id limit 1)
        where l.queue = q.name) as oldest_waiting_at
from queue q
where (q.name = $1 or $1 is null) and q.name > $2
order by q.name
limit $3
