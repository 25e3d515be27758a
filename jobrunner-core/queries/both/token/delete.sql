delete from jobrunner.personal_token where id = $1
