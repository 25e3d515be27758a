select count(*) from jobrunner.account where role = 'admin' and is_active and not is_service
