-- The tokens of these have expired by themselves.
delete from ended_sign_in where expires_at < ?1
