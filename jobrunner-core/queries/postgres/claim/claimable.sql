-- Claimable jobs behind the place ($1, $2, $3) of the order of claims.
select r.lane_id, r.prio::bigint as prio, r.job_id, l.queue, l.owner_id, q.weight
from jobrunner.ready r
join jobrunner.lane l on l.id = r.lane_id
join jobrunner.queue q on q.name = l.queue
where (r.lane_id, r.prio, r.job_id) > ($1::bigint, $2::bigint, $3::uuid)
order by r.lane_id, r.prio, r.job_id
limit 1000
