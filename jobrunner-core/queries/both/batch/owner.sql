select owner_id from jobrunner.batch where id = $1
