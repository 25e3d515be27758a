-- Jobs that can be claimed, with their places in the order of claims.
select r.lane_id, cast(r.prio as bigint) as prio, r.job_id, l.queue, l.owner_id, q.weight
from jobrunner.ready r
join jobrunner.lane l on l.id = r.lane_id
join jobrunner.queue q on q.name = l.queue
