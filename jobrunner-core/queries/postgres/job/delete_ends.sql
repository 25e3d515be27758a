delete from jobrunner.ended where job_id = $1
