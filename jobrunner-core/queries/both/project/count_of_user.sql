select count(*) from jobrunner.project_member where user_id = $1
