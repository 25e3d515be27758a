-- What was done to thing $3, newest first: $1 before this id, $2 limit; $4 action, $5 actor, null
-- is any.
where target_id = $3 and (action = $4 or $4 is null) and (actor_id = $5 or $5 is null) and id < $1
order by id desc limit $2
