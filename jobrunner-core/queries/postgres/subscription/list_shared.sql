-- Those of projects $4 or of account $5, and of account $3 if it is not null, newest first: $1
-- before this id, $2 limit.
where (project = any($4) or owner_id = $5) and (owner_id = $3 or $3 is null) and id < $1
order by id desc limit $2
