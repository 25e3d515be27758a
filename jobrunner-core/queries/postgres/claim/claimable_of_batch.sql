-- Claimable members of batch $4 behind the id $3. $1 and $2 are those of claim/claimable.
select r.lane_id, r.prio::bigint as prio, r.job_id, l.queue, l.owner_id, q.weight
from jobrunner.job j
join jobrunner.ready r on r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
join jobrunner.lane l on l.id = r.lane_id
join jobrunner.queue q on q.name = l.queue
where j.batch_id = $4 and j.id > $3 and $1::bigint is not null and $2::bigint is not null
order by j.id
limit 1000
