-- What earlier requests with these keys made. $1 owners, $2 keys.
select i.owner_id, i.key, i.digest, i.made_id
from unnest($1::uuid[], $2::text[]) as k (owner_id, key)
join jobrunner.idempotency i on i.owner_id = k.owner_id and i.key = k.key
