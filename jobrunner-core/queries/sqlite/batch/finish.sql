-- The end of its last job. The condition makes it happen once.
update batch set status = $2, finished_at = $3 where id = $1 and finished_at is null
