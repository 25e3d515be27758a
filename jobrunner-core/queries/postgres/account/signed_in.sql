-- An account, unless the sign-in of its has been ended.
select id, email, password_hash, role, is_active, max_running_jobs, token_version,
       jobrunner.ms(created_at) as created_at
from jobrunner.account
where id = $1 and not exists (select from jobrunner.ended_sign_in where id = $2)
