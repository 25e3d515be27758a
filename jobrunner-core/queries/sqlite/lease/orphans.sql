-- Leases of sessions that are gone, or of all sessions when ?1 is 1.
select token, job_id, batch_id, cancel, claimed_at
from lease
where ?1 or session_id not in (select id from session)
order by token
