-- Their refresh tokens have expired by themselves.
delete from jobrunner.refreshed_sign_in where expires_at < now()
