-- The next jobs of owners $1: those of the lanes whose turn is next, $4 of each owner, and whether
-- an owner has several; $2 queues, empty is all; $3 the host, on which some jobs are not to be run
-- yet; $5 how many of each lane, or as many as $4 lanes would have in all when there are more.
with lanes as materialized (
    select o.owner_id, x.lane_id, x.vtime, x.weight, x.are_several
    from unnest($1::uuid[]) as o (owner_id)
    cross join lateral (
        select n.lane_id, n.vtime, coalesce(q.weight, 1) as weight, n.are_several
        from (select m.lane_id, count(*) over () > 1 as are_several,
                     greatest(m.vtime, max(m.vtime) over () - max(1 / m.weight) over ()) as vtime
              from (select lane_id, max(vtime) as vtime, min(weight) as weight
                    from jobrunner.active where owner_id = o.owner_id group by lane_id) m
              order by 3, 1) n
        join jobrunner.lane l on l.id = n.lane_id
        left join jobrunner.queue q on q.name = l.queue
        where q.paused is not true and (cardinality($2::text[]) = 0 or l.queue = any($2))
          and exists (select from jobrunner.ready r
                      where r.lane_id = n.lane_id
                        and (r.avoid_host is null or r.avoid_host <> $3
                             or r.avoid_until <= clock_timestamp()))
        limit $4) x
)
select l.owner_id, l.lane_id, l.vtime, l.weight, l.are_several, h.prio, h.job_id
from lanes l
cross join lateral (
    select prio, job_id from jobrunner.ready r
    where r.lane_id = l.lane_id
      and (r.avoid_host is null or r.avoid_host <> $3 or r.avoid_until <= clock_timestamp())
    order by prio, job_id
    limit (select greatest(1, least($5, $5 * $4 / count(*))) from lanes)) h
