-- The members of project $1 by their ids: $2 after this one, $3 limit.
select m.user_id, a.email, m.role, jobrunner.ms(m.added_at) as added_at
from jobrunner.project_member m join jobrunner.account a on a.id = m.user_id
where m.project = $1 and m.user_id > $2
order by m.user_id limit $3
