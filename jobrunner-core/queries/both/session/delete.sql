delete from jobrunner.session where id = $1
