-- Cases as tests, those that are not known, in order, so that nobody waits for another in a ring.
-- $1 runs, $2 numbers, $3 the tests whose reports they are in, $4 what they are called.
insert into jobrunner.test (series_no, no, parent_no, name, variant, case_name)
select r.series_no, g.no, g.parent_no, t.name, t.variant, g.case_name
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) as g (run_no, no, parent_no, case_name)
join jobrunner.run r on r.no = g.run_no
join jobrunner.test t on t.series_no = r.series_no and t.no = g.parent_no
order by r.series_no, g.no
on conflict do nothing
