-- The first start of one of its jobs.
update batch set status = 1, started_at = $2 where id = $1 and started_at is null
