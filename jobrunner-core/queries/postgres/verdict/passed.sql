-- The tests of run $1 that passed and nothing else is to be said of, by their numbers: after $2,
-- limit $3; $4 on which day the run began; $6 tests of which something is to be said and is not
-- stored yet.
with page as (
    select h.test_no as place, h.test_no, h.job_id, null::bigint as since_run, 0 as runs, null::bigint as good_run,
           0::bigint as cause_no, null::uuid as issue_id
    from (select distinct on (test_no) test_no, job_id, outcome from jobrunner.result
          where run_no = $1 and day >= $4 and test_no > $2 and cause_no <> -1 order by test_no, outcome desc) h
    where h.outcome in (0, 1) and h.test_no <> all($6)
      and not exists (select from jobrunner.notable n
                      where n.run_no = $1 and n.test_no = h.test_no and n.class < 8)
    order by h.test_no limit $3
)
