-- Marks what runs: job $1, or members of batch $1.
update lease set cancel = true where (job_id = $1 or batch_id = $1) and started_at is not null
