-- Leases of sessions that are gone, or of all sessions when ?1 is 1. ?2 now.
select l.job_id, l.token, l.owner_id, l.batch_id, l.attempts, l.losses, l.cancel, j.max_attempts, j.retry,
       l.started_at is not null as is_started, ifnull(max(?2 - l.started_at, 0), 0) as ran_ms
from lease l join job j on j.id = l.job_id
where ?1 or l.session_id not in (select id from session)
order by l.token
