select status from job where id = ?1
