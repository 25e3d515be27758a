select name, description, payload, project from jobrunner.batch where id = $1
