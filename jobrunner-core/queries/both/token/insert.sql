insert into jobrunner.personal_token (id, owner_id, name, scopes, digest, created_at, expires_at, project)
values ($1, $2, $3, $4, $5, $6, $7, $8)
