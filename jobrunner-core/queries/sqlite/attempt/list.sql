select attempt, status, worker_id, started_at, finished_at, exit_code, signal, reason, error,
       duration_ms, stdout_bytes, stderr_bytes, truncated
from attempt where job_id = ?1
union all
select attempts, 1, session_id, started_at, null, null, null, null, null, null, null, null, null
from lease where job_id = ?1 and started_at is not null
order by 1
