-- The first start of one of their jobs.
update jobrunner.batch set status = 1, started_at = clock_timestamp()
where id = any($1) and started_at is null
