delete from jobrunner.log_chunk
where job_id = $1 and attempt = $2 and stream = $3 and start >= $4 and start + length(bytes) <= $5
