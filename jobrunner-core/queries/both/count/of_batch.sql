from jobrunner.batch_count where batch_id = $1
