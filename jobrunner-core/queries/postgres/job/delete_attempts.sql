delete from jobrunner.attempt where job_id = $1
