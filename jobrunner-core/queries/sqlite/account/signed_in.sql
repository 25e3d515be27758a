-- An account, unless the sign-in of its has been ended.
select id, email, password_hash, role, is_active, max_running_jobs, token_version, created_at
from account
where id = ?1 and not exists (select 1 from ended_sign_in where id = ?2)
