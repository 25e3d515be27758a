where email = $1
