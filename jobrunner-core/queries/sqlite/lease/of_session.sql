-- The leases of a session. `is_old` when it should have heard of the claim by $2, now.
select l.token, l.job_id, l.cancel, l.claimed_at + s.ttl_ms < $2 as is_old
from session s join lease l on l.session_id = s.id
where s.id = $1
