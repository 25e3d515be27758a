-- Queues with what waits and runs in them: the one named $1, or if that is null $3 of them after
-- the name $2. The oldest job of each place in a lane is found by index.
select q.name, q.paused, q.weight,
       (select count(*) from jobrunner.lane l join jobrunner.ready r on r.lane_id = l.id where l.queue = q.name)
           as waiting,
       (select count(*) from jobrunner.lease s join jobrunner.lane l on l.id = s.lane_id
        where l.queue = q.name and s.started_at is not null) as running,
       (select jobrunner.ms(min(j.created_at))
        from jobrunner.lane l
        cross join generate_series(0, 10) as p (prio)
        cross join lateral (select job_id from jobrunner.ready
                            where lane_id = l.id and prio = p.prio order by job_id limit 1) h
        join jobrunner.job j on j.id = h.job_id
        where l.queue = q.name) as oldest_waiting_at
from jobrunner.queue q
where (q.name = $1 or $1::text is null) and q.name > $2
order by q.name
limit $3
