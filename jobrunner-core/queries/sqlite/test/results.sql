-- What became of test $2 in the runs of series $1 before run $3, newest first, limit $4: of several
-- in one run the worst.
with page as (
    select r.test_no, r.run_no, max(r.outcome) as outcome, r.job_id, r.duration_ms, r.attempts, r.host_no,
           r.cause_no
    from result r
    join run u on u.no = r.run_no and u.series_no = $1
    where r.test_no = $2 and r.run_no < $3 and r.cause_no <> -1
    group by r.run_no
    order by r.run_no desc limit $4
)
