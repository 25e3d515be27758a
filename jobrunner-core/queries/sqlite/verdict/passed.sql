-- The tests of run $1 that passed and nothing else is to be said of, by their numbers: after $2,
-- limit $3; $4 on which day the run began; $6 a JSON array of tests of which something is to be
-- said and is not stored yet.
with page as (
    select h.test_no as place, h.test_no, h.job_id, null as since_run, 0 as runs, null as good_run,
           0 as cause_no, null as issue_id
    from (select test_no, job_id, max(outcome) as outcome from result
          where run_no = $1 and day >= $4 and test_no > $2 and cause_no <> -1 group by test_no) h
    where h.outcome in (0, 1) and h.test_no not in (select value from json_each($6))
      and h.test_no not in (select test_no from notable where run_no = $1 and class < 8)
    order by h.test_no limit $3
)
