-- Events of one kind, newest first.
-- $1 actor, $2 action, $3 id of the target: null is any. $4 before this id, $5 limit.
select id, jobrunner.ms(created_at) as created_at, actor_id, actor_email, action, target_type, target_id, target_name,
       details
from jobrunner.audit_event
where $1::uuid is null and action = $2 and ($3::text is null or target_id = $3) and id < $4
order by id desc limit $5
