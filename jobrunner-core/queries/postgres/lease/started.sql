-- Those of these leases that have been started.
select l.job_id, l.token
from unnest($1::uuid[], $2::bigint[]) as i (job_id, token)
join jobrunner.lease l on l.job_id = i.job_id and l.token = i.token
where l.started_at is not null
