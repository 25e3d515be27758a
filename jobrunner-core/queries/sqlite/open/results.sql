-- The results of what is ended next, and was not run: $1 owner, null is any; $2 the day.
insert into result (test_no, run_no, cause_no, job_id, day, duration_ms, host_no, outcome, attempts)
select test_no, run_no, 0, id, $2, 0, 0, 3, 0 from job
where status = 0 and ($1 is null or owner_id = $1) and run_no is not null
  and id not in (select job_id from lease where started_at is not null)
