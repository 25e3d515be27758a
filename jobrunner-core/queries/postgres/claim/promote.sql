-- Makes jobs claimable whose time has come, for session $1. Of those that have lost a worker one at
-- a time, and none in the first half second of another one in the same session: one that kills its
-- worker is not leased together with those that it took along before. Suspects stay where they are.
with others as (
    select run_at, job_id from jobrunner.deferred
    where run_at <= clock_timestamp() and losses = 0 and not alone
    order by run_at limit 1000
    for update skip locked
), lost as (
    select run_at, job_id from jobrunner.deferred
    where run_at <= clock_timestamp() and losses > 0 and not alone
      and not exists (select from jobrunner.lease l
                      where l.session_id = $1 and l.losses > 0
                        and l.claimed_at > clock_timestamp() - interval '500 milliseconds')
    order by run_at limit 1
    for update skip locked
), gone as (
    delete from jobrunner.deferred d
    using (select run_at, job_id from others union all select run_at, job_id from lost) due
    where d.run_at = due.run_at and d.job_id = due.job_id
    returning d.job_id, d.attempts, d.losses
)
insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, g.attempts, g.losses
from gone g join jobrunner.job j on j.id = g.job_id
