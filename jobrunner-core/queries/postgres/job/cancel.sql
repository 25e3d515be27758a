-- One pass of a cancel, as batch/cancel. $1 job, $2 the status.
with unclaimed as (
    delete from jobrunner.ready r using jobrunner.job j
    where j.id = $1 and r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
    returning r.job_id, r.attempts
), undue as (
    delete from jobrunner.deferred where job_id = $1
    returning job_id, attempts
), unstarted as (
    delete from jobrunner.lease where job_id = $1 and started_at is null
    returning job_id, attempts
), told as (
    update jobrunner.lease set cancel = true
    where job_id = $1 and started_at is not null
    returning job_id
), done as (
    insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at, duration_ms)
    select j.id, j.owner_id, j.batch_id, $2, clock_timestamp(),
           case when w.attempts > 0 then (select a.duration_ms from jobrunner.attempt a
                                          where a.job_id = w.job_id order by a.attempt desc limit 1) end
    from (select job_id, attempts from unclaimed union all select job_id, attempts from undue
          union all select job_id, attempts from unstarted) w
    join jobrunner.job j on j.id = w.job_id
    returning job_id
)
select (select count(*) from done), (select count(*) from told)
