-- Leases with what decides about the end of their attempts. $1 a JSON array of their tokens and
-- jobs, $2 now.
select l.job_id, l.token, l.owner_id, l.batch_id, l.attempts, l.losses, l.cancel, l.alone, j.max_attempts, j.retry, j.test_no, j.run_no,
       l.host,
       l.started_at is not null as is_started, ifnull(max($2 - l.started_at, 0), 0) as ran_ms
from json_each($1) e
cross join lease l on l.token = e.value ->> 'token' and l.job_id = unhex(e.value ->> 'job')
join job j on j.id = l.job_id
