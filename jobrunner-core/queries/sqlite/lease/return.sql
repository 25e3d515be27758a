-- Gives a lease back that was not started; the other half is `lease/drop`.
insert into ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, l.attempts, l.losses
from lease l join job j on j.id = l.job_id
where l.token = ?1 and l.job_id = ?2 and l.started_at is null
