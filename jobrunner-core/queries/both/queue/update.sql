-- Somebody sets a queue up, so it is not forgotten.
update jobrunner.queue
set paused = coalesce($2, paused), weight = coalesce($3, weight), is_set_up = true, unused_since = null
where name = $1
