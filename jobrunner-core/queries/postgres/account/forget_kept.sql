-- The tokens of these have expired by themselves.
delete from jobrunner.kept_sign_in where expires_at < now()
