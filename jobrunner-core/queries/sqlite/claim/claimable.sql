-- Claimable jobs behind the place (?1, ?2, ?3) of the order of claims.
select r.lane_id, r.prio, r.job_id, l.queue, l.owner_id, q.weight
from ready r
join lane l on l.id = r.lane_id
join queue q on q.name = l.queue
where (r.lane_id, r.prio, r.job_id) > (?1, ?2, ?3)
order by r.lane_id, r.prio, r.job_id
limit 1000
