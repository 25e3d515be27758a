-- Tests of series $2, those that are not known. $1 a JSON array of their numbers, names and
-- variants.
insert into test (series_no, no, name, variant)
select $2, e.value ->> 0, e.value ->> 1, e.value ->> 2
from json_each($1) e where true
on conflict do nothing
