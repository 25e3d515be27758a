delete from jobrunner.log_chunk where job_id = $1
