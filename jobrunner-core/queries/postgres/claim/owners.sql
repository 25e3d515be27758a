-- The owners whose turn is next. Those that have all the jobs running that they may have, or whose
-- accounts are disabled, are left out, and so are those without a job that may be run here: $1
-- queues, empty is all; $2 the host, on which some jobs are not to be run yet. Whether they have
-- one is looked at in the order of their turns, and no further than needed. `least` is how far
-- behind an owner that was idle is taken to be. How many, and how they are locked, is what follows.
with running as materialized (
    select owner_id, count(*) as jobs from jobrunner.lease group by owner_id
), owners as materialized (
    select t.id, t.vtime, t.weight
    from (select distinct owner_id from jobrunner.active) o
    join jobrunner.turn t on t.id = o.owner_id
), bound as materialized (
    select max(vtime) - max(1 / weight) as least from owners
), next as materialized (
    select o.id, b.least from owners o cross join bound b order by greatest(o.vtime, b.least), o.id
)
select t.id, greatest(t.vtime, n.least) as vtime, t.weight, a.max_running_jobs is not null as is_limited
from next n
join jobrunner.turn t on t.id = n.id
left join jobrunner.account a on a.id = n.id
cross join lateral (
    select v.lane_id
    from jobrunner.active v
    join jobrunner.lane l on l.id = v.lane_id
    left join jobrunner.queue q on q.name = l.queue
    where v.owner_id = n.id and q.paused is not true
      and (cardinality($1::text[]) = 0 or l.queue = any($1))
      and exists (select from jobrunner.ready r
                  where r.lane_id = v.lane_id
                    and (r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= clock_timestamp()))
    limit 1) may
where a.is_active is not false
  and (a.max_running_jobs is null
       or coalesce((select jobs from running where owner_id = n.id), 0) < a.max_running_jobs)
