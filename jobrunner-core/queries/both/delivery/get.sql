-- What a message of a window tells is no message any more.
where id = $1 and state < 4
