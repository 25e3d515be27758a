update jobrunner.session set seen_at = clock_timestamp(), expires_at = clock_timestamp() + ttl
where id = $1
returning draining
