delete from jobrunner.known_issue where id = $1
