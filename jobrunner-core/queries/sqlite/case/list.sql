-- The cases of the reports of attempt $4 of job $3, or of the last one that has ended: $1 after
-- this place, $2 limit; $5 status, $6 pattern of names: null is any.
select place, duration_ms, status, flaky, class, name, file, message
from job_case
where job_id = $3 and place > $1
  and attempt = coalesce($4, (select max(attempt) from attempt where job_id = $3))
  and ($5 is null or status = $5) and ($6 is null or name glob $6)
order by place limit $2
