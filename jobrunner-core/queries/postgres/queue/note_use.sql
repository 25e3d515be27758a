-- Since when each queue has had no open job; queues that somebody has set up are left alone.
with used as materialized (
    select l.queue from jobrunner.active a join jobrunner.lane l on l.id = a.lane_id
    where exists (select from jobrunner.ready r where r.lane_id = a.lane_id)
    union
    select l.queue from jobrunner.lease s join jobrunner.lane l on l.id = s.lane_id
    union
    select l.queue from jobrunner.deferred d
    join jobrunner.job j on j.id = d.job_id join jobrunner.lane l on l.id = j.lane_id
)
update jobrunner.queue q
set unused_since = case when q.unused_since is null then clock_timestamp() end
where not q.is_set_up and (q.unused_since is null) = (q.name not in (select queue from used))
