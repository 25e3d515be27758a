-- Tests of run $1, begun on day $2, that passed at once, as those of which something is to be said
-- are told: a known issue may have expected them to fail.
select r.test_no, r.job_id, cast(r.outcome as bigint) as outcome, r.cause_no, cast(null as bigint) as before,
       cast(null as boolean) as is_alike, cast(null as boolean) as is_slower, cast(null as bigint) as good_run,
       cast(null as bigint) as since_run, cast(0 as bigint) as runs, t.name, t.variant, t.case_name,
       cast(null as text) as error_line, cast(0 as bigint) as tests
from jobrunner.run of_run
join jobrunner.result r on r.run_no = of_run.no and r.day >= $2
join jobrunner.test t on t.series_no = of_run.series_no and t.no = r.test_no
where of_run.no = $1 and r.outcome = 0 and r.cause_no <> -1
