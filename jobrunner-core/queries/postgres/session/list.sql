select s.id, s.host, s.pid, s.slots, s.queues, s.draining, s.containment, jobrunner.ms(s.started_at) as started_at,
       jobrunner.ms(s.seen_at) as seen_at, coalesce(l.running, 0) as running
from jobrunner.session s
left join (select session_id, count(*) as running from jobrunner.lease
           where started_at is not null group by session_id) l on l.session_id = s.id
where s.expires_at > clock_timestamp()
order by s.started_at, s.id
