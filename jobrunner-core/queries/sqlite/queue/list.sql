-- Queues with what waits and runs in them; all of them, or the one named ?1.
select q.name, q.paused, q.weight,
       (select count(*) from lane l join ready r on r.lane_id = l.id where l.queue = q.name) as waiting,
       (select count(*) from lease s join job j on j.id = s.job_id join lane l on l.id = j.lane_id
        where l.queue = q.name and s.started_at is not null) as running,
       (select min(j.created_at) from lane l join ready r on r.lane_id = l.id join job j on j.id = r.job_id
        where l.queue = q.name) as oldest_waiting_at
from queue q
where ?1 is null or q.name = ?1
order by q.name
limit 1000
