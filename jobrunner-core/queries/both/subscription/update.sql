update jobrunner.subscription
set name = $2, batch_name = $3, kinds = $4, channel = $5, is_enabled = $6
where id = $1
