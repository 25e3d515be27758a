update jobrunner.account
set password_hash = $2, role = $3, is_active = $4, max_running_jobs = $5, token_version = $6
where id = $1
