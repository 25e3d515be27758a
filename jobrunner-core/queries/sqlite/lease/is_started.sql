select started_at is not null from lease where token = ?1 and job_id = ?2
