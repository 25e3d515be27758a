-- Those of subscription $3, newest first: $1 before this id, $2 limit. What a message of a window
-- tells is no message any more.
where subscription_id = $3 and id < $1 and state < 4 order by id desc limit $2
