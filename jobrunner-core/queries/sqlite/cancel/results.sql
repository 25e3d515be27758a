-- The results of what is ended next, and was not run: of job or batch $1; $2 the day.
insert into result (test_no, run_no, cause_no, job_id, day, duration_ms, host_no, outcome, attempts)
select test_no, run_no, 0, id, $2, 0, 0, 3, 0 from job
where (id = $1 or batch_id = $1) and +status = 0 and run_no is not null
  and id not in (select job_id from lease)
