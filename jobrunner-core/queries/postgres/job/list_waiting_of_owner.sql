-- The jobs of an owner that wait, newest first: those without an end and a started lease. None of them is older than
-- the oldest that is ready, deferred or leased, which bounds how far the index is read.
-- $1 owner, $2 batch, $3 status code, $4 queue, $5 name pattern: null is any. $6 before this id, $7 limit.
select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from jobrunner.job_view
where id = any(array(
    select j.id from jobrunner.job j
    where j.owner_id = $1 and $2::uuid is null and $3::bigint = 0
    and ($4::text is null or j.lane_id in (select id from jobrunner.lane where queue = $4))
      and ($5::text is null or j.name like $5)
      and j.id < $6
      and j.id >= (
          select least(
              (select r.job_id
               from jobrunner.lane l
               cross join generate_series(0, 10) as p (prio)
               cross join lateral (select job_id from jobrunner.ready
                                   where lane_id = l.id and prio = p.prio order by job_id limit 1) r
               where $1 is null or l.owner_id = $1
               order by r.job_id limit 1),
              (select job_id from jobrunner.deferred order by job_id limit 1),
              (select job_id from jobrunner.lease where started_at is null order by job_id limit 1)))
      and not exists (select from jobrunner.ended e where e.job_id = j.id)
      and not exists (select from jobrunner.lease l where l.job_id = j.id and l.started_at is not null)
    order by j.id desc limit $7))
order by id desc
