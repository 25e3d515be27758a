-- Lanes with claimable jobs, found by hopping over the index of `ready` rather than reading it,
-- each with how many more jobs its owner may have running; those of disabled accounts are left out.
-- $1 a JSON array of queues; empty is all. $2 the host, on which some jobs are not to be run yet at
-- $3.
with recursive active (lane_id) as (
    select min(lane_id) from ready
    union all
    select (select min(lane_id) from ready where lane_id > active.lane_id)
    from active where active.lane_id is not null
)
select l.id, l.owner_id, l.vtime, q.weight,
       a.max_running_jobs - (select count(*) from lease where owner_id = l.owner_id) as allowance
from active
join lane l on l.id = active.lane_id
join queue q on q.name = l.queue and not q.paused
left join account a on a.id = l.owner_id
where (json_array_length($1) = 0 or l.queue in (select value from json_each($1)))
  and a.is_active is not 0
  and exists (select 1 from ready r
              where r.lane_id = l.id
                and (r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= $3))
order by l.vtime, l.id
