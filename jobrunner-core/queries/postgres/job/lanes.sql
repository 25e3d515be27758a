select queue, id from jobrunner.lane where owner_id = $2 and queue = any($1)
