-- The key of a request that was carried out before stays as it is.
insert into idempotency (owner_id, key, digest, made_id, created_at)
values ($1, $2, $3, $4, round(unixepoch('subsec') * 1000))
on conflict do nothing
