insert into log_chunk (job_id, attempt, stream, start, bytes, marks) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
