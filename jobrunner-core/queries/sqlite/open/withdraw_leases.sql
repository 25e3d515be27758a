delete from lease where started_at is null and ($1 is null or owner_id = $1)
