delete from jobrunner.subscription where id = $1
