-- Newest first: $1 before this id, $5 limit; those of owner $2, which is any if null, and of
-- projects $3 or of owner $4, which is any if $3 is null.
where id < $1 and (owner_id = $2 or $2 is null) and (project = any($3) or owner_id = $4 or $3 is null)
order by id desc limit $5
