-- The lanes of owner $5 whose turn is next, $4 at most, and whether it has several; $1 a JSON array
-- of queues, empty is all; $2 the host, on which some jobs are not to be run yet at $3.
select n.lane_id, n.vtime, ifnull(q.weight, 1.0) as weight, n.are_several
from (select lane_id, count(*) over () > 1 as are_several,
             max(vtime, max(vtime) over () - max(1 / weight) over ()) as vtime
      from active where owner_id = $5 order by 3, 1 limit -1) n
cross join lane l on l.id = n.lane_id
left join queue q on q.name = l.queue
where q.paused is not 1
  and (json_array_length($1) = 0 or l.queue in (select value from json_each($1)))
  and exists (select 1 from ready r
              where r.lane_id = n.lane_id
                and (r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= $3))
limit $4
