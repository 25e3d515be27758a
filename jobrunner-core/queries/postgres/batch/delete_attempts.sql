delete from jobrunner.attempt t using jobrunner.job j where j.batch_id = $1 and t.job_id = j.id
