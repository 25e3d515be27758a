update jobrunner.queue set paused = coalesce($2, paused), weight = coalesce($3, weight) where name = $1
