insert into jobrunner.subscription
       (id, owner_id, name, project, series, batch_name, kinds, channel, digest, is_enabled, window_ends_at,
        created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
