-- They look at all of its lanes again; those without jobs are left out later.
insert into jobrunner.active (lane_id, owner_id, weight)
select l.id, l.owner_id, q.weight
from jobrunner.lane l join jobrunner.queue q on q.name = l.queue
where l.queue = $1 and not exists (select 1 from jobrunner.active a where a.lane_id = l.id)
