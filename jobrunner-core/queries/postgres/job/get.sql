select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from jobrunner.job_view
where id = $1 and ($2::uuid is null or owner_id = $2)
