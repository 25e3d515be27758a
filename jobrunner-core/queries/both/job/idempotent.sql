select digest, made_id from jobrunner.idempotency where owner_id = $1 and key = $2
