-- The leases of a session. `is_old` when it should have heard of the claim by now.
select l.token, l.job_id, l.cancel, l.claimed_at + s.ttl < clock_timestamp() as is_old
from jobrunner.session s
join jobrunner.lease l on l.session_id = s.id
where s.id = $1
