select id, created_at, actor_id, actor_email, action, target_type, target_id, target_name, details
from audit_event
