-- The owners whose turn is next, each with how many more jobs it may have running; those of
-- disabled accounts are left out, and those without a job that may be run here: $1 a JSON array of
-- queues, empty is all; $2 the host, on which some jobs are not to be run yet at $3; $4 how many.
-- Whether they have one is looked at in the order of their turns. How far behind an owner that was
-- idle is taken to be is the bound.
with owners as materialized (
    select t.id, t.vtime, t.weight
    from (select distinct owner_id from active) o join turn t on t.id = o.owner_id
), bound as materialized (
    select max(vtime) - max(1 / weight) as least from owners
), next as materialized (
    select o.id, max(o.vtime, b.least) as vtime, o.weight
    from owners o cross join bound b order by 2, 1 limit -1
)
select n.id, n.vtime, n.weight, a.max_running_jobs - (select count(*) from lease where owner_id = n.id) as allowance
from next n
left join account a on a.id = n.id
where a.is_active is not 0
  and (a.max_running_jobs is null
       or (select count(*) from lease where owner_id = n.id) < a.max_running_jobs)
  and exists (select 1
              from active v join lane l on l.id = v.lane_id left join queue q on q.name = l.queue
              where v.owner_id = n.id and q.paused is not 1
                and (json_array_length($1) = 0 or l.queue in (select value from json_each($1)))
                and exists (select 1 from ready r
                            where r.lane_id = v.lane_id
                              and (r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= $3)))
limit $4
