update jobrunner.known_issue
set owner_id = $2, title = $3, series = $4, test = $5, variant = $6, pattern = $7, effect = $8, ticket = $9,
    expires_at = $10
where id = $1
