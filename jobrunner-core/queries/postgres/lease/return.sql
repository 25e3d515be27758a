-- Gives leases back that were not started.
with wanted as (
    select l.job_id
    from unnest($1::uuid[], $2::bigint[]) as i (job_id, token)
    join jobrunner.lease l on l.job_id = i.job_id and l.token = i.token
    where l.started_at is null
    order by l.job_id
    for update of l
), gone as (
    delete from jobrunner.lease l using wanted w
    where l.job_id = w.job_id and l.started_at is null
    returning l.*
)
insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
select lane_id, prio, job_id, attempts, losses from gone
