-- A started lease with what decides about the end of its attempt.
select l.session_id, l.owner_id, l.batch_id, l.attempts, l.losses, l.started_at, l.cancel, j.max_attempts,
       j.retry
from lease l join job j on j.id = l.job_id
where l.token = ?1 and l.job_id = ?2 and l.started_at is not null
