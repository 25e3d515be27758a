-- A session that is announced again, since the answer was lost, lives on from now.
insert into session (id, host, pid, slots, queues, ttl_ms, started_at, seen_at, expires_at, containment)
values ($1, $2, $3, $4, $5, $6, $7, $7, $8 + $6, $9)
on conflict (id) do update set seen_at = excluded.seen_at, expires_at = excluded.expires_at
