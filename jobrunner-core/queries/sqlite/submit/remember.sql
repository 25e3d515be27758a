-- Remembers requests that were carried out. $1 a JSON array of an owner, a key, a digest and a job
-- each, of which those are passed over that were not stored; $2 now.
insert into idempotency (owner_id, key, digest, made_id, created_at)
select unhex(e.value ->> '$[0]'), e.value ->> '$[1]', unhex(e.value ->> '$[2]'), j.id, $2
from json_each($1) e
join job j on j.id = unhex(e.value ->> '$[3]')
