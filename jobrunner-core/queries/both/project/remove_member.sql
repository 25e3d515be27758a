delete from jobrunner.project_member where project = $1 and user_id = $2
