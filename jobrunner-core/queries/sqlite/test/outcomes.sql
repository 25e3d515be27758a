-- What became of tests $1 in runs $2, JSON arrays, the oldest first, of which the first began on
-- day $3.
with page as (
    select r.test_no, r.run_no, r.outcome, r.job_id, r.duration_ms, r.attempts, r.host_no, r.cause_no
    from json_each($1) t
    cross join result r on r.test_no = t.value and r.run_no >= $2 ->> '$[0]' and r.run_no <= $2 ->> '$[#-1]'
                       and +r.run_no in (select value from json_each($2)) and r.day >= $3
                       and r.cause_no <> -1
)
