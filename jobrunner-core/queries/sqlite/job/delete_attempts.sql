delete from attempt where job_id = ?1
