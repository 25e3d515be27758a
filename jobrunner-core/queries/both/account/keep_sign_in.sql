-- The tokens of sign-in $1 are as good as those of token version $3 of account $2.
insert into jobrunner.kept_sign_in (id, user_id, token_version, expires_at) values ($1, $2, $3, $4)
on conflict (id) do update set token_version = excluded.token_version, expires_at = excluded.expires_at
