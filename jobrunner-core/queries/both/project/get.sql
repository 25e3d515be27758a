where name = $1
