-- The job of a lease waits again, until ?4 at least. ?3 how many attempts cost no run.
insert into deferred (run_at, job_id, attempts, losses)
select ?4, job_id, attempts, ?3 from lease where token = ?1 and job_id = ?2
