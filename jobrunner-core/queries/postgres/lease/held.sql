-- Leases with what decides about the end of their attempts, locked in order.
select l.job_id, l.token, l.owner_id, l.batch_id, l.attempts, l.losses, l.cancel, l.alone,
       j.max_attempts, j.retry, j.test_no, j.run_no,
       l.host, l.started_at is not null as is_started,
       coalesce(jobrunner.ms(clock_timestamp()) - jobrunner.ms(l.started_at), 0) as ran_ms
from unnest($1::uuid[], $2::bigint[]) as i (job_id, token)
join jobrunner.lease l on l.job_id = i.job_id and l.token = i.token
join jobrunner.job j on j.id = l.job_id
order by l.job_id
for update of l
