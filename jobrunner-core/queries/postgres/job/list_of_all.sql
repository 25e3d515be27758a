-- Everybody's jobs, newest first.
-- $1 owner, $2 batch, $3 status code, $4 queue, $5 name pattern: null is any. $6 before this id, $7 limit.
select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from jobrunner.job_view
where id = any(array(
    select j.id from jobrunner.job j
    where $1::uuid is null and $2::uuid is null and $3::bigint is null
      and ($4::text is null or j.lane_id in (select id from jobrunner.lane where queue = $4))
      and ($5::text is null or j.name like $5)
      and j.id < $6
    order by j.id desc limit $7))
order by id desc
