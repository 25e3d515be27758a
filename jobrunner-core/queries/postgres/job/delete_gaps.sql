delete from jobrunner.log_gap where job_id = $1
