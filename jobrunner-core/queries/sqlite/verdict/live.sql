-- A page of what is not stored yet: $1 a JSON array of it; $5 the series.
with page as (
    select e.value ->> 'place' as place, e.value ->> 'test_no' as test_no, unhex(e.value ->> 'job_id') as job_id,
           e.value ->> 'since_run' as since_run, e.value ->> 'runs' as runs, e.value ->> 'good_run' as good_run,
           e.value ->> 'cause_no' as cause_no, unhex(e.value ->> 'issue_id') as issue_id
    from json_each($1) e
)
