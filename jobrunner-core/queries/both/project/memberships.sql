-- The projects of account $1, and what it may do in each; of archived ones no more than to read.
select m.project, case when p.is_archived then 'viewer' else m.role end as role
from jobrunner.project_member m join jobrunner.project p on p.name = m.project
where m.user_id = $1
order by m.project
