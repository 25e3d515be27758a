-- One pass of a cancel, as batch/cancel. $1 job, $2 the status.
with unclaimed as (
    delete from jobrunner.ready r using jobrunner.job j
    where j.id = $1 and r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
    returning r.job_id
), undue as (
    delete from jobrunner.deferred where job_id = $1
    returning job_id
), unstarted as (
    delete from jobrunner.lease where job_id = $1 and started_at is null
    returning job_id
), told as (
    update jobrunner.lease set cancel = true
    where job_id = $1 and started_at is not null
    returning job_id
), done as (
    insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at)
    select j.id, j.owner_id, j.batch_id, $2, clock_timestamp()
    from (select job_id from unclaimed union all select job_id from undue
          union all select job_id from unstarted) w
    join jobrunner.job j on j.id = w.job_id
    returning job_id
)
select (select count(*) from done), (select count(*) from told)
