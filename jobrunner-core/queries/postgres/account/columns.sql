select id, email, password_hash, role, is_active, is_service, max_running_jobs, token_version,
       jobrunner.ms(created_at) as created_at
from jobrunner.account
