select name, description, payload from jobrunner.batch where id = $1
