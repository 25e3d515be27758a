select count(*) from jobrunner.account
