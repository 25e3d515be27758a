-- Makes scheduled jobs claimable whose time has come.
with due as (
    select run_at, job_id from jobrunner.deferred
    where run_at <= clock_timestamp()
    order by run_at limit 1000
    for update skip locked
), gone as (
    delete from jobrunner.deferred d using due
    where d.run_at = due.run_at and d.job_id = due.job_id
    returning d.job_id, d.attempts, d.losses
)
insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, g.attempts, g.losses
from gone g join jobrunner.job j on j.id = g.job_id
