-- The last change of a job: ?2 its terminal status, ?3 now.
update job set status = ?2, finished_at = ?3 where id = ?1 and status = 0
