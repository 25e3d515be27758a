-- Charges the attempt. ?3 now.
update lease set attempts = attempts + 1, started_at = ?3
where token = ?1 and job_id = ?2 and started_at is null
returning owner_id, batch_id
