select status from jobrunner.job_view where id = $1
