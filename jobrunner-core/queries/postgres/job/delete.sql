delete from jobrunner.job where id = $1
