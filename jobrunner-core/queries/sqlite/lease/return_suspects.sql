-- As `lease/return`, of suspects.
insert into deferred (run_at, job_id, attempts, losses, alone)
select l.claimed_at, l.job_id, l.attempts - (l.started_at is not null), l.losses, 1
from json_each($1) e
cross join lease l on l.token = e.value ->> 'token' and l.job_id = unhex(e.value ->> 'job') and l.alone
