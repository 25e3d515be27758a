insert into jobrunner.log_gap (job_id, attempt, stream, head_end) values ($1, $2, $3, $4)
on conflict do nothing
