-- A page of what is not stored yet: $1 places, $2 tests, $3 jobs, $4 from which run on they failed;
-- $5 the series; $6 in how many runs, $7 the last run that they passed, $8 causes, $9 known issues.
with page as (
    select * from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::bigint[], $6::integer[], $7::bigint[],
                         $8::bigint[], $9::uuid[])
        as g (place, test_no, job_id, since_run, runs, good_run, cause_no, issue_id)
)
