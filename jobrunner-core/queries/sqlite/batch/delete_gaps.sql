delete from log_gap where job_id in (select id from job where batch_id = ?1)
