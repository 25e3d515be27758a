-- Jobs that can be claimed, with their places in the order of claims.
select r.lane_id, cast(r.prio as bigint) as prio, r.job_id, l.queue, l.owner_id,
       coalesce(q.weight, 1.0) as weight, coalesce(t.weight, 1.0) as owner_weight
from jobrunner.ready r
join jobrunner.lane l on l.id = r.lane_id
left join jobrunner.queue q on q.name = l.queue
left join jobrunner.turn t on t.id = l.owner_id
