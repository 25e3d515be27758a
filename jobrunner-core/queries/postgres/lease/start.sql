-- Charges the attempts of leases that were not started, and answers them.
with wanted as (
    select l.job_id
    from unnest($1::uuid[], $2::bigint[]) as i (job_id, token)
    join jobrunner.lease l on l.job_id = i.job_id and l.token = i.token
    where l.started_at is null
    order by l.job_id
    for update of l
)
update jobrunner.lease l set attempts = l.attempts + 1, started_at = clock_timestamp()
from wanted w
where l.job_id = w.job_id and l.started_at is null
returning l.job_id, l.token, l.owner_id, l.batch_id
