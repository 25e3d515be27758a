-- Makes a group of fresh jobs claimable: those of $1, a JSON array of ids, that are due at $2.
insert into ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, 0, 0
from json_each($1) e join job j on j.id = unhex(e.value)
where j.run_at is null or j.run_at <= $2
