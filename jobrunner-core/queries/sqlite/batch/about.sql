select name, description, payload from batch where id = ?1
