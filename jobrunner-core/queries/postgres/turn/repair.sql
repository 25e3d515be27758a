-- Lanes with rows in `ready` that are not known to be active, found by hopping over its index.
with recursive filled (lane_id) as (
    (select lane_id from jobrunner.ready order by lane_id limit 1)
    union all
    select next.lane_id
    from filled
    cross join lateral (select lane_id from jobrunner.ready where lane_id > filled.lane_id
                        order by lane_id limit 1) next
)
insert into jobrunner.active (lane_id, owner_id, weight)
select l.id, l.owner_id, coalesce(q.weight, 1)
from filled f
join jobrunner.lane l on l.id = f.lane_id
left join jobrunner.queue q on q.name = l.queue
where q.paused is not true
  and not exists (select from jobrunner.active a where a.lane_id = f.lane_id)
