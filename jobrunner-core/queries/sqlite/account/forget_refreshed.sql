-- Their refresh tokens have expired by themselves.
delete from refreshed_sign_in where expires_at < round(unixepoch('subsec') * 1000)
