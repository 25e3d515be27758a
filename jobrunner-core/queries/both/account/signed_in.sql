-- Account $1, unless its sign-in $2 has been ended, or its tokens of version $3 are too old and the
-- sign-in was not kept.
where id = $1 and not exists (select 1 from jobrunner.ended_sign_in where id = $2)
  and (token_version = $3 or exists (
    select 1 from jobrunner.kept_sign_in kept
    where kept.id = $2 and kept.user_id = account.id and kept.token_version = account.token_version))
