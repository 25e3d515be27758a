-- The last change of a job: ?2 its terminal status, ?3 now, ?4 whether it passed after it had failed,
-- null for a cancel.
update job set status = ?2, finished_at = ?3, flaky = ifnull(?4, 0) where id = ?1 and status = 0
