select digest, made_id from idempotency where owner_id = ?1 and key = ?2
