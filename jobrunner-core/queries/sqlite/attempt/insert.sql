-- Records the ends of the attempts of leases. $1 a JSON array of ends, $2 now.
insert into attempt (job_id, attempt, token, worker_id, started_at, finished_at, status, exit_code,
                     signal, reason, error, duration_ms, stdout_bytes, stderr_bytes, truncated, error_line,
                     report)
select l.job_id, l.attempts, l.token, l.session_id, l.started_at, $2, e.value ->> 'status',
       e.value ->> 'exit_code', e.value ->> 'signal', e.value ->> 'reason', e.value ->> 'error',
       e.value ->> 'duration_ms', e.value ->> 'stdout_bytes', e.value ->> 'stderr_bytes',
       e.value ->> 'truncated', e.value ->> 'error_line', e.value ->> 'report'
from json_each($1) e cross join lease l on l.token = e.value ->> 'token'
