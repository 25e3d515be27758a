delete from session where $1 or expires_at <= $2
