-- The next jobs of each lane, but for those that are still to be run on another host than $3.
select p.lane_id, h.prio, h.job_id
from unnest($1::bigint[]) with ordinality as p (lane_id, place)
cross join lateral (select prio, job_id from jobrunner.ready r
                    where r.lane_id = p.lane_id
                      and (r.avoid_host is null or r.avoid_host <> $3 or r.avoid_until <= clock_timestamp())
                    order by prio, job_id limit $2) h
order by p.place, h.prio, h.job_id
