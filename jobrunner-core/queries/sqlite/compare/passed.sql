-- As verdict/passed, whatever is stored of the run.
with page as (
    select h.test_no as place, h.test_no, h.job_id, null as since_run, 0 as runs, null as good_run,
           0 as cause_no, null as issue_id
    from (select test_no, job_id, max(outcome) as outcome from result
          where run_no = $1 and day >= $4 and test_no > $2 and cause_no <> -1 group by test_no) h
    where h.outcome in (0, 1) and h.test_no not in (select value from json_each($6))
    order by h.test_no limit $3
)
