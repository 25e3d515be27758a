select l.token, l.job_id, l.owner_id, l.batch_id, l.attempts as attempt, j.spec
from json_each($1) e
cross join lease l on l.job_id = unhex(e.value)
join job j on j.id = l.job_id
order by e.key
