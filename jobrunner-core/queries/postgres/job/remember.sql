-- Whoever stores the key first carries the request out; others wait for the outcome.
insert into jobrunner.idempotency (owner_id, key, digest, made_id, created_at)
values ($1, $2, $3, $4, clock_timestamp())
on conflict do nothing
