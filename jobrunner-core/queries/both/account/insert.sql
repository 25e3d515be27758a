insert into jobrunner.account (id, email, password_hash, role, is_active, max_running_jobs, token_version, created_at, is_service)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (email) do nothing
