select count(*) from jobrunner.subscription where owner_id = $1
