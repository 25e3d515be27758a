delete from batch where id = ?1
