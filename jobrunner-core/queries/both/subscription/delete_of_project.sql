delete from jobrunner.subscription where project = $1
