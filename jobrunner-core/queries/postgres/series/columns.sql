-- The series of a page, newest first.
select s.no, s.id, s.owner_id, s.name, s.project, jobrunner.ms(s.created_at) as created_at,
       (select max(no) from jobrunner.run where series_no = s.no and repeats is null) as last_run
from page p join jobrunner.series s on s.id = p.id
order by s.id desc
