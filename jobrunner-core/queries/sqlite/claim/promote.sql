insert into ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, d.attempts, d.losses
from json_each($1) e
join deferred d on d.job_id = unhex(e.value)
join job j on j.id = d.job_id
