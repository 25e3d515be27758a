delete from log_chunk where job_id = ?1
