delete from jobrunner.batch where id = $1
