-- Makes the suspect claimable that has waited longest of those that session $1 may run; $2 its
-- queues, empty is all. A session that has leases runs none beside them.
with chosen as materialized (
    select d.run_at, d.job_id
    from jobrunner.deferred d
    join jobrunner.job j on j.id = d.job_id
    join jobrunner.lane l on l.id = j.lane_id
    left join jobrunner.queue q on q.name = l.queue
    left join jobrunner.account a on a.id = l.owner_id
    where d.alone and d.run_at <= clock_timestamp() and q.paused is not true
      and (cardinality($2::text[]) = 0 or l.queue = any($2))
      and a.is_active is not false
      and (a.max_running_jobs is null
           or (select count(*) from jobrunner.lease where owner_id = l.owner_id) < a.max_running_jobs)
      and not exists (select from jobrunner.lease where session_id = $1)
    order by d.run_at limit 1
    for update of d skip locked
), gone as (
    delete from jobrunner.deferred d using chosen c
    where d.run_at = c.run_at and d.job_id = c.job_id
    returning d.job_id, d.attempts, d.losses
)
insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
select j.lane_id, 10 - j.priority, j.id, g.attempts, g.losses
from gone g join jobrunner.job j on j.id = g.job_id
returning job_id
