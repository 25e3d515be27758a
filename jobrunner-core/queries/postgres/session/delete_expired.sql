-- A server that was just started again gives the workers as much time to come back as they were
-- promised.
delete from jobrunner.session
where $1 or (expires_at <= clock_timestamp() and pg_postmaster_start_time() + ttl <= clock_timestamp())
