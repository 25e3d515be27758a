-- The end of its last job. The condition makes it happen once.
update jobrunner.batch set status = $2, finished_at = clock_timestamp() where id = $1 and finished_at is null
