-- A group of single jobs of any owners, stored and counted by one statement that commits by itself.
-- $1 ids, $2 the place of each one's lane in $10 (owners) and $11 (queues), from 1; $3
-- specifications, $4 names, $5 priorities, $6 numbers of attempts, $7 times they are scheduled for,
-- $8 what they say about repetitions; $9 the idempotency keys and $12 the digests of their
-- requests, null where there is none; $13 the slot of this process; $14 projects.
--
-- A row for each job that was stored. Left out are those whose lane or queue does not exist, and
-- those whose key was stored before. A key that another transaction is about to store is not waited
-- for, and its job left out: nobody else's in the group may wait for that.
with lanes as materialized (
    select p.place, p.owner_id, l.id
    from unnest($10::uuid[], $11::text[]) with ordinality as p (owner_id, queue, place)
    join jobrunner.lane l on l.queue = p.queue and l.owner_id = p.owner_id
    join jobrunner.queue q on q.name = l.queue
), given as materialized (
    select g.*, l.owner_id, l.id as lane_id
    from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::bigint[], $7::timestamptz[],
                $8::text[], $9::text[], $12::bytea[], $14::text[])
         as g (id, place, spec, name, priority, max_attempts, run_at, retry, key, digest, project)
    join lanes l on l.place = g.place
), remembered as (
    insert into jobrunner.idempotency (owner_id, key, digest, made_id, created_at)
    select owner_id, key, digest, id, statement_timestamp()
    from given
    where key is not null and pg_try_advisory_xact_lock(hashtextextended(key, hashtext(owner_id::text)))
    on conflict do nothing
    returning made_id
), fresh as materialized (
    select g.* from given g where g.key is null
    union all
    select g.* from remembered r join given g on g.id = r.made_id
), stored as (
    insert into jobrunner.job (id, owner_id, lane_id, spec, name, priority, max_attempts, run_at, created_at, retry,
                               project)
    select id, owner_id, lane_id, spec, name, priority, max_attempts, run_at, statement_timestamp(), retry, project
    from fresh
), later as (
    insert into jobrunner.deferred (run_at, job_id, attempts, losses)
    select run_at, id, 0, 0 from fresh where run_at > statement_timestamp()
), now as (
    insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
    select lane_id, 10 - priority, id, 0, 0 from fresh
    where run_at is null or run_at <= statement_timestamp()
), counted as (
    insert into jobrunner.owner_count (owner_id, slot, waiting, running, passed, failed, canceled)
    select owner_id, $13, count(*), 0, 0, 0, 0 from fresh group by owner_id order by owner_id
    on conflict (owner_id, slot) do update set waiting = owner_count.waiting + excluded.waiting
)
select id, jobrunner.ms(statement_timestamp()) from fresh
