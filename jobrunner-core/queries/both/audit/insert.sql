insert into jobrunner.audit_event
       (id, created_at, actor_id, actor_email, action, target_type, target_id, target_name, details)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
