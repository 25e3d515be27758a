-- Account $1, unless its sign-in $2 has been ended.
where id = $1 and not exists (select 1 from jobrunner.ended_sign_in where id = $2)
