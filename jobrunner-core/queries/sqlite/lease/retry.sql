-- The job of a lease waits again. ?3 how many attempts cost no run; until ?4 it avoids the host it was on, if
-- that is not null.
insert into ready (lane_id, prio, job_id, attempts, losses, avoid_host, avoid_until)
select j.lane_id, 10 - j.priority, j.id, l.attempts, ?3, iif(?4 is null, null, l.host), ?4
from lease l join job j on j.id = l.job_id
where l.token = ?1 and l.job_id = ?2
