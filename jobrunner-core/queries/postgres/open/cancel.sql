-- One pass of a cancel of all that is open, as batch/cancel: one row for each owner and batch with
-- what has ended, and one without either with what runs and was told just now. $1 owner, null is
-- any, $2 the status.
with unclaimed as (
    delete from jobrunner.ready r using jobrunner.lane l
    where r.lane_id = l.id and ($1::uuid is null or l.owner_id = $1)
    returning r.job_id, r.attempts
), undue as (
    delete from jobrunner.deferred d using jobrunner.job j
    where j.id = d.job_id and ($1::uuid is null or j.owner_id = $1)
    returning d.job_id, d.attempts
), unstarted as (
    delete from jobrunner.lease where started_at is null and ($1::uuid is null or owner_id = $1)
    returning job_id, attempts
), told as (
    update jobrunner.lease set cancel = true
    where started_at is not null and not cancel and ($1::uuid is null or owner_id = $1)
    returning job_id
), done as (
    insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at, duration_ms, project)
    select j.id, j.owner_id, j.batch_id, $2, clock_timestamp(),
           case when w.attempts > 0 then (select a.duration_ms from jobrunner.attempt a
                                          where a.job_id = w.job_id order by a.attempt desc limit 1) end,
           j.project
    from (select job_id, attempts from unclaimed union all select job_id, attempts from undue
          union all select job_id, attempts from unstarted) w
    join jobrunner.job j on j.id = w.job_id
    returning job_id, owner_id, batch_id
), results as (
    insert into jobrunner.result (test_no, run_no, cause_no, job_id, day, duration_ms, host_no, outcome, attempts)
    select j.test_no, j.run_no, 0, j.id, floor(extract(epoch from clock_timestamp()) / 86400)::integer, 0, 0, 3, 0
    from done d join jobrunner.job j on j.id = d.job_id
    where j.run_no is not null
)
select owner_id, batch_id, count(*) from done group by owner_id, batch_id
union all
select null, null, count(*) from told
