delete from lease where (job_id = $1 or batch_id = $1) and started_at is null
