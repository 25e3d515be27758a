select owner_id from batch where id = ?1
