select id, host, pid, slots, queues, draining, containment, jobrunner.ms(started_at) as started_at,
       jobrunner.ms(seen_at) as seen_at,
       (select count(*) from jobrunner.lease l where l.session_id = s.id and l.started_at is not null)
           as running
from jobrunner.session s
where expires_at > clock_timestamp()
order by s.started_at, id
