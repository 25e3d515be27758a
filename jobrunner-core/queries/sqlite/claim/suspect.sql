-- The suspect that has waited longest of those that session $1 may run; $2 a JSON array of its
-- queues, empty is all; $3 now. A session that has leases runs none beside them.
select d.job_id
from deferred d
join job j on j.id = d.job_id
join lane l on l.id = j.lane_id
left join queue q on q.name = l.queue
left join account a on a.id = l.owner_id
where d.alone and d.run_at <= $3 and q.paused is not 1
  and (json_array_length($2) = 0 or l.queue in (select value from json_each($2)))
  and a.is_active is not 0
  and (a.max_running_jobs is null
       or (select count(*) from lease where owner_id = l.owner_id) < a.max_running_jobs)
  and not exists (select 1 from lease where session_id = $1)
order by d.run_at limit 1
