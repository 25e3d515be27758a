-- One pass of a cancel of job $1, or of all members of batch $1: ends what waits, with status $2,
-- and marks what runs. A job that a claim or a report moves at the same moment may escape a pass,
-- but not the next one.
with unclaimed as (
    delete from jobrunner.ready r using jobrunner.job j
    where (j.id = $1 or j.batch_id = $1) and r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
    returning r.job_id, r.attempts
), undue as (
    delete from jobrunner.deferred d using jobrunner.job j
    where (j.id = $1 or j.batch_id = $1) and d.job_id = j.id
    returning d.job_id, d.attempts
), unstarted as (
    delete from jobrunner.lease where (job_id = $1 or batch_id = $1) and started_at is null
    returning job_id, attempts
), told as (
    update jobrunner.lease set cancel = true
    where (job_id = $1 or batch_id = $1) and started_at is not null
    returning job_id
), done as (
    insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at, duration_ms, project)
    select w.job_id, j.owner_id, j.batch_id, $2, clock_timestamp(),
           case when w.attempts > 0 then (select a.duration_ms from jobrunner.attempt a
                                          where a.job_id = w.job_id order by a.attempt desc limit 1) end,
           j.project
    from (select job_id, attempts from unclaimed union all select job_id, attempts from undue
          union all select job_id, attempts from unstarted) w
    join jobrunner.job j on j.id = w.job_id
    returning job_id
), results as (
    insert into jobrunner.result (test_no, run_no, cause_no, job_id, day, duration_ms, host_no, outcome, attempts)
    select j.test_no, j.run_no, 0, j.id, floor(extract(epoch from clock_timestamp()) / 86400)::integer, 0, 0, 3, 0
    from done d join jobrunner.job j on j.id = d.job_id
    where j.run_no is not null
)
select (select count(*) from done), (select count(*) from told)
