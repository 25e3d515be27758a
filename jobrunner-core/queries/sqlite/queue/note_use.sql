-- Since when each queue has had no open job, $1 now; queues that somebody has set up are left
-- alone.
with used as materialized (
    select l.queue from active a join lane l on l.id = a.lane_id
    where exists (select 1 from ready r where r.lane_id = a.lane_id)
    union
    select l.queue from lease s join job j on j.id = s.job_id join lane l on l.id = j.lane_id
    union
    select l.queue from deferred d join job j on j.id = d.job_id join lane l on l.id = j.lane_id
)
update queue
set unused_since = case when unused_since is null then $1 end
where not is_set_up and (unused_since is null) = (name not in (select queue from used))
