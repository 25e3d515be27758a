-- Running jobs, newest first, out of the few that are leased. Parameters as in list_of_all.
select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from job_view
where id in (
    select j.id from lease l join job j on j.id = l.job_id
    where l.started_at is not null
      and (?1 is null or j.owner_id = ?1) and (?2 is null or j.batch_id = ?2)
      and (?4 is null or j.spec ->> '$.queue' = ?4) and (?5 is null or j.name glob ?5)
      and j.id < ?6
    order by j.id desc limit ?7)
order by id desc
