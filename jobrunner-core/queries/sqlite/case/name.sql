-- Cases as tests, those that are not known. $1 a JSON array of them.
insert into test (series_no, no, parent_no, name, variant, case_name)
select r.series_no, e.value ->> 'test', t.no, t.name, t.variant, e.value ->> 'case'
from json_each($1) e
join run r on r.no = e.value ->> 'run'
join test t on t.series_no = r.series_no and t.no = e.value ->> 'parent'
where true
on conflict do nothing
