-- The lanes whose turn is next; those with claimable jobs are found by hopping over the index of
-- `ready` rather than reading it. Those of owners that have all the jobs running that they may
-- have, or whose accounts are disabled, are left out. $1 queues, empty is all; $2 the host, on
-- which some jobs are not to be run yet. `least` is how far behind a lane that was idle is taken to
-- be. How many, and how they are locked, is what follows.
with recursive active (lane_id) as (
    (select lane_id from jobrunner.ready order by lane_id limit 1)
    union all
    select next.lane_id
    from active
    cross join lateral (select lane_id from jobrunner.ready where lane_id > active.lane_id
                        order by lane_id limit 1) next
), running as materialized (
    select owner_id, count(*) as jobs from jobrunner.lease group by owner_id
), eligible as materialized (
    select l.id, l.vtime, q.weight, a.max_running_jobs is not null as is_limited
    from active
    join jobrunner.lane l on l.id = active.lane_id
    join jobrunner.queue q on q.name = l.queue and not q.paused
    left join jobrunner.account a on a.id = l.owner_id
    where (cardinality($1::text[]) = 0 or l.queue = any($1))
      and a.is_active is not false
      and (a.max_running_jobs is null
           or coalesce((select jobs from running where owner_id = l.owner_id), 0) < a.max_running_jobs)
      and exists (select from jobrunner.ready r
                  where r.lane_id = l.id
                    and (r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= clock_timestamp()))
), bound as materialized (
    select max(vtime) - max(1 / weight) as least from eligible
)
select l.id, l.owner_id, l.vtime, e.weight, e.is_limited, b.least
from eligible e
join jobrunner.lane l on l.id = e.id
cross join bound b
order by greatest(e.vtime, b.least), e.id
