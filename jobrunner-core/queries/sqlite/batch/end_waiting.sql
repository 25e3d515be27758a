-- Ends every open member that does not run: ?2 the status, ?3 now.
update job set status = ?2, finished_at = ?3
where batch_id = ?1 and status = 0 and id not in (select job_id from lease where batch_id = ?1)
