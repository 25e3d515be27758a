insert into jobrunner.delivery (id, subscription_id, kind, created_at, due_at, gathered)
values ($1, $2, $3, $4, $4, $5)
