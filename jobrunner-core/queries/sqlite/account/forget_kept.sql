-- The tokens of these have expired by themselves.
delete from kept_sign_in where expires_at < round(unixepoch('subsec') * 1000)
