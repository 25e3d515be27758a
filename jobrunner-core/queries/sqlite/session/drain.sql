update session set draining = 1 where id = ?1
