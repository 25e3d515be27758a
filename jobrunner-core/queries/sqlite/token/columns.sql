select id, owner_id, name, scopes, project, created_at, expires_at, last_used_at
from personal_token
