-- Those of the proposed jobs that are claimable on host $2 at $3. $1 a JSON array of ids.
select r.lane_id, r.job_id
from json_each($1) e
cross join job j on j.id = unhex(e.value)
join ready r on r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
where r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= $3
order by e.key
