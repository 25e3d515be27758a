select count(*) from jobrunner.project_member where project = $1 and role = 'maintainer'
