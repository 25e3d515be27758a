-- The other half of insert_ready: those that are not due yet.
insert into deferred (run_at, job_id, attempts, losses)
select j.run_at, j.id, 0, 0
from json_each($1) e join job j on j.id = unhex(e.value)
where j.run_at > $2
