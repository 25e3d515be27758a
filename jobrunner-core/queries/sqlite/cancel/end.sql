-- Ends what does not run, with status $2 at $3.
update job set status = $2, finished_at = $3,
       ran_ms = (select duration_ms from attempt where job_id = job.id order by attempt desc limit 1)
where (id = $1 or batch_id = $1) and +status = 0 and id not in (select job_id from lease)
