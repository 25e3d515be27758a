select id, owner_id, name, scopes, project, jobrunner.ms(created_at) as created_at,
       jobrunner.ms(expires_at) as expires_at, jobrunner.ms(last_used_at) as last_used_at
from jobrunner.personal_token
