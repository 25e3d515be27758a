-- Whether a worker on another host could take a leased job. ?3 the uptime.
select 1
from lease l
join job j on j.id = l.job_id
join lane a on a.id = j.lane_id
join session s on s.host <> l.host and not s.draining and s.expires_at > ?3
where l.token = ?1 and l.job_id = ?2
  and (s.queues = '[]' or a.queue in (select value from json_each(s.queues)))
limit 1
