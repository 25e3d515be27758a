-- Those of the proposed jobs that wait and may be run on host $2, with their lanes and owners;
-- those of disabled accounts are left out.
select l.id as lane_id, coalesce(q.weight, 1) as lane_weight, t.id, t.vtime, t.weight,
       a.max_running_jobs is not null as is_limited, r.prio, r.job_id
from unnest($1::uuid[]) with ordinality as p (job_id, place)
join jobrunner.job j on j.id = p.job_id
join jobrunner.ready r on r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
join jobrunner.lane l on l.id = r.lane_id
left join jobrunner.queue q on q.name = l.queue
join jobrunner.turn t on t.id = l.owner_id
left join jobrunner.account a on a.id = l.owner_id
where (r.avoid_host is null or r.avoid_host <> $2 or r.avoid_until <= clock_timestamp())
  and q.paused is not true and a.is_active is not false
order by p.place
