-- What one account asked for, newest first.
-- ?1 actor, ?2 action, ?3 id of the target: null is any. ?4 before this id, ?5 limit.
select id, created_at, actor_id, actor_email, action, target_type, target_id, target_name,
       details
from audit_event
where actor_id = ?1 and (?2 is null or action = ?2) and (?3 is null or target_id = ?3) and id < ?4
order by id desc limit ?5
