insert into jobrunner.ended_sign_in (id, expires_at) values ($1, $2) on conflict (id) do nothing
