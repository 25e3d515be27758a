-- Which of these leased jobs a worker on another host could take.
select l.job_id
from unnest($1::uuid[]) as i (job_id)
join jobrunner.lease l on l.job_id = i.job_id
join jobrunner.lane a on a.id = l.lane_id
where exists (select from jobrunner.session s
              where s.host <> l.host and not s.draining and s.expires_at > clock_timestamp()
                and (s.queues = '[]' or s.queues::jsonb ? a.queue))
