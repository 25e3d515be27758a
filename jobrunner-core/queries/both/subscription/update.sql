-- $9 the end of its window.
update jobrunner.subscription
set name = $2, series = $3, batch_name = $4, kinds = $5, channel = $6, digest = $7, is_enabled = $8, window_ends_at = $9
where id = $1
