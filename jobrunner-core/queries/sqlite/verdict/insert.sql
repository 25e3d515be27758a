-- What is to be told of the tests of an ended run $1. $2 a JSON array of it.
insert into notable (run_no, class, place, test_no, job_id, since_run, runs, good_run, cause_no, issue_id)
select $1, e.value ->> 'class', e.value ->> 'place', e.value ->> 'test_no', unhex(e.value ->> 'job_id'),
       e.value ->> 'since_run', e.value ->> 'runs', e.value ->> 'good_run', e.value ->> 'cause_no',
       unhex(e.value ->> 'issue_id')
from json_each($2) e
