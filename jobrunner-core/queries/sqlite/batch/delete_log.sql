delete from log_chunk where job_id in (select id from job where batch_id = ?1)
