delete from jobrunner.job where batch_id = $1
