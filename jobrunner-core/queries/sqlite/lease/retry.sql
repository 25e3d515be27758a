-- The job of a lease waits again. ?3 how many workers it has lost.
insert into ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, l.attempts, ?3
from lease l join job j on j.id = l.job_id
where l.token = ?1 and l.job_id = ?2
