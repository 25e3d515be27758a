insert into jobrunner.subscription (id, owner_id, name, batch_name, kinds, channel, is_enabled, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
