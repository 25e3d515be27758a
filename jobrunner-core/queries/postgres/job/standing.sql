-- What a cancel or a delete needs to know of a job.
select j.owner_id, j.batch_id, coalesce(e.status, 0)::bigint as status, coalesce(e.flaky, false) as flaky,
       a.exit_code, coalesce(l.started_at is not null, false) as running
from jobrunner.job j
left join jobrunner.lease l on l.job_id = j.id
left join jobrunner.ended e on e.job_id = j.id
left join lateral (
    select exit_code from jobrunner.attempt where job_id = j.id order by attempt desc limit 1) a on true
where j.id = $1
