-- The members of a batch that have ended in one way, newest first.
-- $1 owner, $2 batch, $3 status code, $4 queue, $5 name pattern: null is any. $6 before this id, $7 limit;
-- $8 reason, null is any.
select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from jobrunner.job_view
where id = any(array(
    select j.id from jobrunner.ended e join jobrunner.job j on j.id = e.job_id
    where e.batch_id = $2 and j.batch_id = $2 and ($1::uuid is null or j.owner_id = $1) and e.status = $3::bigint
      and ($4::text is null or j.lane_id in (select id from jobrunner.lane where queue = $4))
      and ($5::text is null or j.name like $5)
      and e.job_id < $6
      and ($8::text is null or $8 = (select a.reason from jobrunner.attempt a where a.job_id = e.job_id
                                     order by a.attempt desc limit 1))
    order by e.job_id desc limit $7))
order by id desc
