-- Moves chosen jobs from `ready` to `lease`, each with a fresh token, and charges their attempts;
-- the other half is `claim/taken`. $1 a JSON array of ids in the order of the choice, $2 session,
-- $3 now, $4 its host.
insert into lease (job_id, session_id, owner_id, batch_id, attempts, losses, claimed_at, started_at, host)
select j.id, $2, j.owner_id, j.batch_id, r.attempts + 1, r.losses, $3, $3, $4
from json_each($1) e
cross join job j on j.id = unhex(e.value)
join ready r on r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
order by e.key
