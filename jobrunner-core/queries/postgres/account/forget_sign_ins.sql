-- The tokens of these have expired by themselves.
delete from jobrunner.ended_sign_in where expires_at < now()
