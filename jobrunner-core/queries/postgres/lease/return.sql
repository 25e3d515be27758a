-- Gives locked leases back whose commands were not started: their attempts are not charged.
with gone as (
    delete from jobrunner.lease l using unnest($1::uuid[], $2::bigint[]) as i (job_id, token)
    where l.job_id = i.job_id and l.token = i.token
    returning l.*
), suspects as (
    insert into jobrunner.deferred (run_at, job_id, attempts, losses, alone)
    select clock_timestamp(), job_id, attempts - (started_at is not null)::int, losses, true
    from gone where alone
)
insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
select lane_id, prio, job_id, attempts - (started_at is not null)::int, losses from gone where not alone
