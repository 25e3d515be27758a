-- What a cancel or a delete needs to know of a job.
select j.owner_id, j.batch_id, j.status, j.flaky,
       (select exit_code from attempt where job_id = j.id order by attempt desc limit 1) as exit_code,
       l.token is not null and l.started_at is not null as running
from job j left join lease l on l.job_id = j.id
where j.id = $1
