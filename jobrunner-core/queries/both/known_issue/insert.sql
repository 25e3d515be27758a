insert into jobrunner.known_issue (id, owner_id, project, title, series, test, variant, pattern, effect, ticket,
                                   created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
