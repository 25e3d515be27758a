select token, job_id, cancel, claimed_at from lease where session_id = ?1
