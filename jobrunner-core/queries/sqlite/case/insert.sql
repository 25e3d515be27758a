-- $1 a JSON array of cases.
insert into job_case (job_id, attempt, place, duration_ms, status, flaky, class, name, file, message)
select unhex(e.value ->> 0), e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value ->> 4, e.value ->> 5,
       e.value ->> 6, e.value ->> 7, e.value ->> 8, e.value ->> 9
from json_each($1) e
