-- What earlier requests with these keys made. $1 a JSON array of an owner and a key each.
select i.owner_id, i.key, i.digest, i.made_id
from json_each($1) e
join idempotency i on i.owner_id = unhex(e.value ->> '$[0]') and i.key = e.value ->> '$[1]'
