-- The next jobs of each lane.
select p.lane_id, h.prio, h.job_id
from unnest($1::bigint[]) with ordinality as p (lane_id, place)
cross join lateral (select prio, job_id from jobrunner.ready r where r.lane_id = p.lane_id
                    order by prio, job_id limit $2) h
order by p.place, h.prio, h.job_id
