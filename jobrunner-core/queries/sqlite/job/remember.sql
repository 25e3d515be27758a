insert into idempotency (owner_id, key, digest, made_id, created_at) values (?1, ?2, ?3, ?4, ?5)
