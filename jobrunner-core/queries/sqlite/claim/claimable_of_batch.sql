-- Claimable members of batch ?4 behind the id ?3. ?1 and ?2 are those of claim/claimable.
select r.lane_id, r.prio, r.job_id, l.queue, l.owner_id, q.weight
from job j
join ready r on r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
join lane l on l.id = r.lane_id
join queue q on q.name = l.queue
where j.batch_id = ?4 and j.status = 0 and j.id > ?3 and ?1 is not null and ?2 is not null
order by j.id
limit 1000
