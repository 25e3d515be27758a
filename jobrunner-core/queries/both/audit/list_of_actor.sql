-- What account $3 asked for, newest first: $1 before this id, $2 limit; $4 action, null is any.
where actor_id = $3 and (action = $4 or $4 is null) and id < $1 order by id desc limit $2
