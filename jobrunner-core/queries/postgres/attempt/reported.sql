-- Those of these leases that a report was accepted of before: a rescue also ends an attempt, but
-- not by report.
select a.job_id, a.token
from unnest($1::uuid[], $2::bigint[]) as i (job_id, token)
join jobrunner.attempt a on a.job_id = i.job_id and a.token = i.token
where a.reason is distinct from 'worker_lost'
