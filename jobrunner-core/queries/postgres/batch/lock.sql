-- A batch is deleted by one at a time.
select owner_id from jobrunner.batch where id = $1 for update
