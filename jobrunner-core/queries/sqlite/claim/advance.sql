update turn set vtime = $2 where id = $1
