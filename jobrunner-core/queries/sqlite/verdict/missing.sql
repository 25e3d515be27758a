-- Tests that have a result in the runs that run $1 is compared with, and are not in it. It began on
-- day $2. $3 a JSON array of those runs, the oldest first; the first of them began on day $4; $5
-- the batch, null when all its jobs have ended.
with here as materialized (
    select test_no, outcome from result where run_no = $1 and day >= $2
    union all
    select test_no, 3 from job where batch_id = $5 and run_no = $1
), away as materialized (
    select t.no, t.name, t.variant, t.case_name,
           (select max(r.run_no) from result r
            where r.test_no = t.no and r.run_no >= $3 ->> '$[0]'
              and +r.run_no in (select value from json_each($3)) and r.day >= $4
              and r.outcome in (0, 2, 5)) as run_no
    from run n join test t on t.series_no = n.series_no
    where n.no = $3 ->> '$[0]' and t.no not in (select test_no from here)
      -- Of a case nothing is known when the test did not run that reports it.
      and (t.parent_no is null
           or t.parent_no in (select test_no from here where outcome in (0, 2, 5)))
)
select no as test_no, name, variant, case_name, run_no as good_run from away where run_no is not null
