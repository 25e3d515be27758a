-- Gives leases back whose commands were not started: their attempts are not charged. $1 a JSON
-- array of their tokens and jobs; suspects are given back by `lease/return_suspects`, and both
-- are dropped by `lease/drop`.
insert into ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, l.attempts - (l.started_at is not null), l.losses
from json_each($1) e
cross join lease l on l.token = e.value ->> 'token' and l.job_id = unhex(e.value ->> 'job') and not l.alone
join job j on j.id = l.job_id
