-- Those of these leased jobs that a worker on another host could take. $1 a JSON array of ids, $2
-- the uptime.
select l.job_id
from json_each($1) e
cross join lease l on l.job_id = unhex(e.value)
join job j on j.id = l.job_id
join lane a on a.id = j.lane_id
where exists (select 1 from session s
              where s.host <> l.host and not s.draining and s.expires_at > $2
                and (s.queues = '[]' or a.queue in (select value from json_each(s.queues))))
