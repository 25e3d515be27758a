with listed as (
    select attempt, status, worker_id, started_at, finished_at, exit_code, signal, reason, error,
           duration_ms, stdout_bytes, stderr_bytes, truncated, report
    from attempt where job_id = $1
    union all
    select attempts, 1, session_id, started_at, null, null, null, null, null, null, null, null, null,
           null
    from lease where job_id = $1 and started_at is not null
)
select listed.*, worker_host.host as worker_host
from listed left join worker_host on worker_host.id = listed.worker_id
order by attempt
