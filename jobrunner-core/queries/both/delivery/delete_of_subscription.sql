delete from jobrunner.delivery where subscription_id = $1
