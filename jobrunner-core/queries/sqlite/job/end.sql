-- The last change of a job: ?2 its terminal status, ?3 now, ?4 whether it passed after it had failed,
-- null for a cancel.
update job set status = ?2, finished_at = ?3, flaky = ifnull(?4, 0),
       ran_ms = (select duration_ms from attempt where job_id = ?1 order by attempt desc limit 1)
where id = ?1 and status = 0
