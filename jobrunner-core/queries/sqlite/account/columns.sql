select id, email, password_hash, role, is_active, is_service, max_running_jobs, token_version, created_at
from account
