-- Everybody's, newest first: $1 before this id, $2 limit.
where id < $1 order by id desc limit $2
