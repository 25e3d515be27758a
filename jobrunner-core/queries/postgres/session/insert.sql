-- A session that is announced again, since the answer was lost, lives on from now.
with known as (
    insert into jobrunner.worker_host (id, host) values ($1, $2)
    on conflict (id) do nothing
), named as (
    insert into jobrunner.host (name) select $2
    where not exists (select from jobrunner.host where name = $2)
    on conflict do nothing
)
insert into jobrunner.session (id, host, pid, slots, queues, ttl, started_at, seen_at, expires_at,
                               containment)
values ($1, $2, $3, $4, $5, $6::bigint * interval '1 millisecond', clock_timestamp(), clock_timestamp(),
        clock_timestamp() + $6::bigint * interval '1 millisecond', $7)
on conflict (id) do update set seen_at = excluded.seen_at, expires_at = excluded.expires_at
