select id, email, password_hash, role, is_active, max_running_jobs, token_version, created_at
from account
