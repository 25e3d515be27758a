-- Scheduled jobs whose time has come. ?1 now.
select job_id from deferred where run_at <= ?1 order by run_at limit 1000
