update lease set cancel = 1 where job_id = ?1 and started_at is not null
