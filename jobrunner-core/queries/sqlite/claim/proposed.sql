-- Those of the proposed jobs that are claimable on host $2 at $3, with their lanes and owners. $1 a
-- JSON array of ids.
select r.job_id, l.id, ifnull(q.weight, 1.0), t.id, t.vtime, t.weight,
       a.max_running_jobs - (select count(*) from lease where owner_id = l.owner_id) as allowance
from json_each($1) e
cross join job j on j.id = unhex(e.value)
join ready r on r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
join lane l on l.id = r.lane_id
left join queue q on q.name = l.queue
join turn t on t.id = l.owner_id
left join account a on a.id = l.owner_id
where (r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= $3)
  and q.paused is not 1 and a.is_active is not 0
order by e.key
