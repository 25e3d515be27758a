-- Results of tests. $1 a JSON array of them, $2 the day.
insert into result (test_no, run_no, cause_no, job_id, day, duration_ms, host_no, outcome, attempts)
select e.value ->> 'test', e.value ->> 'run', e.value ->> 'cause', unhex(e.value ->> 'job'), $2,
       e.value ->> 'duration_ms', ifnull((select no from host where name = e.value ->> 'host'), 0),
       e.value ->> 'outcome', e.value ->> 'attempts'
from json_each($1) e
