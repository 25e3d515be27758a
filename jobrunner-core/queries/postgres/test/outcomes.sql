-- What became of tests $1 in runs $2, the oldest first, of which the first began on day $3.
with page as (
    select r.* from unnest($1::bigint[]) as t (no)
    -- The sum keeps the list of runs out of what the index is asked for.
    cross join lateral (
        select test_no, run_no, outcome, job_id, duration_ms, attempts, host_no, cause_no
        from jobrunner.result
        where test_no = t.no and run_no >= ($2::bigint[])[1] and run_no <= ($2::bigint[])[cardinality($2)]
          and run_no + 0 = any($2) and day >= $3 and cause_no <> -1) r
)
