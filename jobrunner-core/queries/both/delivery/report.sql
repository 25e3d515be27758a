-- What became of an attempt of delivery $1 under lease $2: $3 all attempts, $4 state, $5 when it is
-- tried again, $6 how many attempts there were since it was asked for.
update jobrunner.delivery set attempts = $3, state = $4, due_at = $5, tried = $6, lease = null
where id = $1 and lease = $2
