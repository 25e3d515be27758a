-- Jobs whose time has come. Of those that have lost a worker one at a time, so that one that kills its worker is
-- not leased together with those that it took along before. ?1 now.
select job_id from (select job_id from deferred where run_at <= ?1 and losses = 0 order by run_at limit 1000)
union all
select job_id from (select job_id from deferred where run_at <= ?1 and losses > 0 order by run_at limit 1)
