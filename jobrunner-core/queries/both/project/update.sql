update jobrunner.project set description = $2, is_archived = $3 where name = $1
