select draining, host from session where id = $1 and expires_at > $2
