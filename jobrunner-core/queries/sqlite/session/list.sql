select id, host, pid, slots, queues, draining, containment, started_at, seen_at,
       (select count(*) from lease l where l.session_id = s.id and l.started_at is not null) as running
from session s
where expires_at > $1
order by started_at, id
