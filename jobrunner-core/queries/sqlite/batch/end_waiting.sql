-- Ends every open member that does not run: ?2 the status, ?3 now.
update job set status = ?2, finished_at = ?3,
       ran_ms = (select duration_ms from attempt where job_id = job.id order by attempt desc limit 1)
where batch_id = ?1 and status = 0 and id not in (select job_id from lease where batch_id = ?1)
