-- Ends every job that has not ended and does not run: $1 owner, null is any, $2 the status, $3 now.
update job set status = $2, finished_at = $3,
       ran_ms = (select duration_ms from attempt where job_id = job.id order by attempt desc limit 1)
where status = 0 and ($1 is null or owner_id = $1)
  and id not in (select job_id from lease where started_at is not null)
