-- The last change of the jobs whose attempts were the last, each found by its id. $1 a JSON array
-- of ends, $2 now.
update job
set status = e.value ->> 'job_status', finished_at = $2, flaky = e.value ->> 'flaky',
    ran_ms = e.value ->> 'duration_ms'
from json_each($1) e
where job.id = unhex(e.value ->> 'job') and +job.status = 0 and e.value ->> 'job_status' <> 0
