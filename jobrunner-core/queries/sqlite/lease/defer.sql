-- Jobs that wait again, after a pause. $1 a JSON array of ends, $2 now.
insert into deferred (run_at, job_id, attempts, losses, alone)
select $2 + (e.value ->> 'delay_ms'), l.job_id, l.attempts, e.value ->> 'losses',
       e.value ->> 'alone'
from json_each($1) e cross join lease l on l.token = e.value ->> 'token'
where e.value ->> 'job_status' = 0 and e.value ->> 'delay_ms' > 0
