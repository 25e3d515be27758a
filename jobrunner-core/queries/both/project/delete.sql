delete from jobrunner.project where name = $1
