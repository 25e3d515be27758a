delete from log_gap where job_id = ?1
