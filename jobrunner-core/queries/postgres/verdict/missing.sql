-- Tests that have a result in the runs that run $1 is compared with, and are not in it. It began on
-- day $2. $3 those runs, the oldest first; the first of them began on day $4; $5 the batch, null
-- when all its jobs have ended.
with here as materialized (
    select test_no, outcome from jobrunner.result where run_no = $1 and day >= $2
    union all
    select test_no, 3 from jobrunner.job where batch_id = $5 and run_no = $1
)
select t.no as test_no, t.name, t.variant, t.case_name, b.run_no as good_run
from jobrunner.run n
join jobrunner.test t on t.series_no = n.series_no
cross join lateral (
    select max(r.run_no) as run_no from jobrunner.result r
    where r.test_no = t.no and r.run_no >= ($3::bigint[])[1] and r.run_no + 0 = any($3) and r.day >= $4
      and r.outcome in (0, 2, 5)) b
where n.no = ($3::bigint[])[1] and t.no not in (select test_no from here) and b.run_no is not null
  -- Of a case nothing is known when the test did not run that reports it.
  and (t.parent_no is null or t.parent_no in (select test_no from here where outcome in (0, 2, 5)))
