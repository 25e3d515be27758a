delete from jobrunner.project_member where project = $1
