with listed as (
    select attempt, status::bigint as status, worker_id, jobrunner.ms(started_at) as started_at,
           jobrunner.ms(finished_at) as finished_at, exit_code, signal, reason, error,
           duration_ms, stdout_bytes, stderr_bytes, truncated, report
    from jobrunner.attempt where job_id = $1
    union all
    select attempts, 1, session_id, jobrunner.ms(started_at), null, null, null, null, null, null, null, null, null,
           null
    from jobrunner.lease where job_id = $1 and started_at is not null
)
select listed.*, worker_host.host as worker_host
from listed left join jobrunner.worker_host on worker_host.id = listed.worker_id
order by attempt
