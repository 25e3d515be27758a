select id, name from jobrunner.batch where id = any($1) and ($2::uuid is null or owner_id = $2)
