-- Those of these leases that a report was accepted of before: a rescue also ends an attempt, but
-- not by report. $1 a JSON array of tokens and jobs.
select a.job_id, a.token
from json_each($1) e
cross join attempt a on a.job_id = unhex(e.value ->> 'job') and a.token = e.value ->> 'token'
where a.reason is not 'worker_lost'
