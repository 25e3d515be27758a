-- Jobs that wait again at once; until their time is over they avoid the host they were on. $1 a
-- JSON array of ends, $2 now.
insert into ready (lane_id, prio, job_id, attempts, losses, avoid_host, avoid_until)
select j.lane_id, 10 - j.priority, j.id, l.attempts, e.value ->> 'losses',
       iif(e.value ->> 'avoid_ms' > 0, l.host, null),
       iif(e.value ->> 'avoid_ms' > 0, $2 + (e.value ->> 'avoid_ms'), null)
from json_each($1) e
cross join lease l on l.token = e.value ->> 'token'
join job j on j.id = l.job_id
where e.value ->> 'job_status' = 0 and e.value ->> 'delay_ms' = 0
