-- As verdict/passed, whatever is stored of the run.
with page as (
    select h.test_no as place, h.test_no, h.job_id, null::bigint as since_run, 0 as runs, null::bigint as good_run,
           0::bigint as cause_no, null::uuid as issue_id
    from (select distinct on (test_no) test_no, job_id, outcome from jobrunner.result
          where run_no = $1 and day >= $4 and test_no > $2 and cause_no <> -1 order by test_no, outcome desc) h
    where h.outcome in (0, 1) and h.test_no <> all($6)
    order by h.test_no limit $3
)
