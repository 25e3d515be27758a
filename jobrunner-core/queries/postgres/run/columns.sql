-- The runs of a page, newest first.
select r.no, r.series_no, r.batch_id, b.name, r.repeats is not null as is_rerun, r.branch, r.sha, r.dirty, r.url,
       r.has_revision, r.gate, r.day, r.verdict, jobrunner.ms(r.created_at) as created_at,
       jobrunner.ms(b.finished_at) as finished_at
from page p
join jobrunner.run r on r.no = p.no
left join jobrunner.batch b on b.id = r.batch_id
order by r.no desc
