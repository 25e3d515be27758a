-- The series of a page, newest first.
select s.no, s.id, s.owner_id, s.name, s.project, s.created_at as created_at,
       (select max(no) from run where series_no = s.no and repeats is null) as last_run
from page p join series s on s.id = p.id
order by s.id desc
