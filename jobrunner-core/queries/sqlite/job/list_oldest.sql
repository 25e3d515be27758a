-- The members of a batch in the order of their submission.
-- ?1 owner, ?2 batch, ?3 status code, ?4 queue, ?5 name pattern, ?8 reason: null is any. ?6 after this id, ?7 limit.
select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from job_view
where id in (
    select id from member_view
    where batch_id = ?2 and (?1 is null or owner_id = ?1) and (?3 is null or status = ?3)
      and (?4 is null or queue = ?4) and (?5 is null or name glob ?5) and (?8 is null or reason = ?8)
      and id > ?6
    order by id limit ?7)
order by id
