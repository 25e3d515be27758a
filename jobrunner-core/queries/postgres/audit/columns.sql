select id, jobrunner.ms(created_at) as created_at, actor_id, actor_email, action, target_type,
       target_id, target_name, details
from jobrunner.audit_event
