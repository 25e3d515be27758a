-- Those of subscription $3, newest first: $1 before this id, $2 limit.
where subscription_id = $3 and id < $1 order by id desc limit $2
