delete from lease where token = ?1 and job_id = ?2
