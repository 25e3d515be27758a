select count(*) from jobrunner.personal_token where owner_id = $1
