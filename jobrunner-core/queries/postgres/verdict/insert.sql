-- What is to be told of the tests of an ended run $1. $2 classes, $3 their places in them, $4
-- tests, $5 jobs, $6 from which run on they failed, $7 in how many runs, $8 the last run that they
-- passed, $9 causes, $10 known issues.
insert into jobrunner.notable (run_no, class, place, test_no, job_id, since_run, runs, good_run, cause_no, issue_id)
select $1, g.* from unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::bigint[], $7::integer[],
                           $8::bigint[], $9::bigint[], $10::uuid[])
                    as g (class, place, test_no, job_id, since_run, runs, good_run, cause_no, issue_id)
