-- $2 now, $3 now by the clock of expiries.
update session set seen_at = $2, expires_at = $3 + ttl_ms where id = $1
returning draining
