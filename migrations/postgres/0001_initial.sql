-- Everything is in a schema of its own, so that it can share a database with an embedder's tables.
-- Statuses are the codes of store/rows.rs: 0 waiting, 1 running, 2 passed, 3 failed, 4 canceled. The
-- views give times as milliseconds since 1970 UTC, which is what the code reads.
--
-- Hot and cold apart. `ready`, `deferred` and `lease` are narrow and hold only what is open; `job` is
-- written once, at submission, and never changed: how it ended is a row of `ended`, so that neither
-- leaves dead rows behind. A job is in exactly one of `ready`, `deferred`, `lease` and `ended`; it runs
-- if its lease has been started.

create function jobrunner.ms(timestamptz) returns bigint
    language sql immutable strict parallel safe
    return floor(extract(epoch from $1) * 1000)::bigint;

create table jobrunner.account (
    id               uuid        not null primary key,
    email            text        not null unique,
    password_hash    text        not null,
    role             text        not null check (role in ('admin', 'operator', 'viewer')),
    is_active        boolean     not null,
    max_running_jobs bigint,
    token_version    bigint      not null default 0,
    created_at       timestamptz not null
);

create table jobrunner.queue (
    name   text    not null primary key,
    weight float8  not null default 1 check (weight > 0),
    paused boolean not null default false
);

-- A lane is one owner's place in one queue. Lanes take turns in the order of their virtual time, which
-- grows by 1/weight with each job that is claimed from them.
create table jobrunner.lane (
    id       bigint generated always as identity primary key,
    queue    text   not null,
    owner_id uuid   not null,
    vtime    float8 not null default 0,
    unique (queue, owner_id)
) with (fillfactor = 40);

create table jobrunner.job (
    id           uuid        not null primary key,
    owner_id     uuid        not null,
    batch_id     uuid,
    lane_id      bigint      not null,
    -- The whole specification as JSON. The columns below it repeat what queries need.
    spec         text        not null,
    name         text        not null,
    priority     smallint    not null,
    max_attempts bigint      not null,
    run_at       timestamptz,
    created_at   timestamptz not null
);
create index job_of_batch on jobrunner.job (batch_id, id) where batch_id is not null;
create index job_of_owner on jobrunner.job (owner_id, id);

-- How a job ended. The primary key is what lets it end once.
create table jobrunner.ended (
    job_id      uuid        not null primary key,
    owner_id    uuid        not null,
    batch_id    uuid,
    status      smallint    not null check (status in (2, 3, 4)),
    finished_at timestamptz not null
);
create index ended_of_batch on jobrunner.ended (batch_id, status, job_id) where batch_id is not null;
create index ended_of_owner on jobrunner.ended (owner_id, status, job_id);
create index ended_of_all on jobrunner.ended (status, job_id);

-- Claimable now. `prio` is 10 minus the priority, so that the first row of a lane is its next job.
create table jobrunner.ready (
    lane_id  bigint   not null,
    prio     smallint not null,
    job_id   uuid     not null,
    attempts bigint   not null,
    losses   bigint   not null,
    primary key (lane_id, prio, job_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.5);

-- Claimable from `run_at` on.
create table jobrunner.deferred (
    run_at   timestamptz not null,
    job_id   uuid        not null unique,
    attempts bigint      not null,
    losses   bigint      not null,
    primary key (run_at, job_id)
);

create table jobrunner.session (
    id         uuid        not null primary key,
    host       text        not null,
    pid        bigint      not null,
    slots      bigint      not null,
    queues     text        not null,
    ttl        interval    not null,
    draining   boolean     not null default false,
    started_at timestamptz not null,
    seen_at    timestamptz not null,
    expires_at timestamptz not null
) with (fillfactor = 40);

-- Tokens come from this and are never used again.
create sequence jobrunner.lease_token;

create table jobrunner.lease (
    job_id     uuid        not null primary key,
    token      bigint      not null,
    session_id uuid        not null,
    owner_id   uuid        not null,
    batch_id   uuid,
    lane_id    bigint      not null,
    prio       smallint    not null,
    attempts   bigint      not null,
    losses     bigint      not null,
    claimed_at timestamptz not null,
    started_at timestamptz,
    cancel     boolean     not null default false
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0);
create index lease_of_session on jobrunner.lease (session_id);
create index lease_of_owner on jobrunner.lease (owner_id);
create index lease_of_batch on jobrunner.lease (batch_id) where batch_id is not null;

-- How attempts ended; the running one is the lease. Rows are never changed.
create table jobrunner.attempt (
    job_id       uuid        not null,
    attempt      bigint      not null,
    token        bigint      not null,
    worker_id    uuid        not null,
    started_at   timestamptz not null,
    finished_at  timestamptz not null,
    status       smallint    not null,
    exit_code    integer,
    signal       text,
    reason       text,
    error        text,
    duration_ms  bigint      not null,
    stdout_bytes bigint      not null,
    stderr_bytes bigint      not null,
    truncated    boolean     not null,
    primary key (job_id, attempt)
);

create table jobrunner.batch (
    id          uuid        not null primary key,
    owner_id    uuid        not null,
    name        text        not null,
    description text,
    payload     text        not null,
    rerun_of    uuid,
    created_at  timestamptz not null,
    status      smallint    not null default 0,
    started_at  timestamptz,
    finished_at timestamptz
);
create index batch_of_owner on jobrunner.batch (owner_id, id);
create index batch_open on jobrunner.batch (id) where finished_at is null;

-- Counts are split over slots, one for each process that writes, so that no row is fought over; a single
-- slot may be negative, their sum is the count.
create table jobrunner.batch_count (
    batch_id uuid     not null,
    slot     smallint not null,
    waiting  bigint   not null,
    running  bigint   not null,
    passed   bigint   not null,
    failed   bigint   not null,
    canceled bigint   not null,
    primary key (batch_id, slot)
) with (fillfactor = 50);

create table jobrunner.owner_count (
    owner_id uuid     not null,
    slot     smallint not null,
    waiting  bigint   not null,
    running  bigint   not null,
    passed   bigint   not null,
    failed   bigint   not null,
    canceled bigint   not null,
    primary key (owner_id, slot)
) with (fillfactor = 50);

create table jobrunner.log_chunk (
    job_id  uuid     not null,
    attempt bigint   not null,
    stream  smallint not null,
    start   bigint   not null,
    bytes   bytea    not null,
    primary key (job_id, attempt, stream, start)
);

-- A stream whose middle was left out: its kept head ends at `head_end`.
create table jobrunner.log_gap (
    job_id   uuid     not null,
    attempt  bigint   not null,
    stream   smallint not null,
    head_end bigint   not null,
    primary key (job_id, attempt, stream)
);

create table jobrunner.idempotency (
    owner_id   uuid        not null,
    key        text        not null,
    digest     bytea       not null,
    made_id    uuid        not null,
    created_at timestamptz not null,
    primary key (owner_id, key)
);

-- A job as it is shown: what runs is read from its lease, how it ended from its last attempt.
create view jobrunner.job_view as
select j.id, j.owner_id, j.batch_id, j.spec, jobrunner.ms(j.created_at) as created_at,
       jobrunner.ms(e.finished_at) as finished_at,
       (case when l.token is not null then 1 else coalesce(e.status, 0) end)::bigint as status,
       coalesce(l.attempts, a.attempt, 0) as attempt,
       jobrunner.ms(coalesce(l.started_at, case when e.job_id is not null then a.started_at end))
           as started_at,
       a.attempt as last_attempt, a.worker_id, a.exit_code, a.signal, a.reason, a.error,
       a.duration_ms, a.stdout_bytes, a.stderr_bytes, a.truncated
  from jobrunner.job j
  left join jobrunner.ended e on e.job_id = j.id
  left join jobrunner.lease l on l.job_id = j.id and l.started_at is not null
  left join lateral (select * from jobrunner.attempt where job_id = j.id order by attempt desc limit 1) a
       on true;

create view jobrunner.batch_view as
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of,
       jobrunner.ms(b.created_at) as created_at, b.status::bigint as status,
       jobrunner.ms(b.started_at) as started_at, jobrunner.ms(b.finished_at) as finished_at,
       c.waiting, c.running, c.passed, c.failed, c.canceled
  from jobrunner.batch b
  cross join lateral (
      select coalesce(sum(waiting), 0)::bigint as waiting, coalesce(sum(running), 0)::bigint as running,
             coalesce(sum(passed), 0)::bigint as passed, coalesce(sum(failed), 0)::bigint as failed,
             coalesce(sum(canceled), 0)::bigint as canceled
        from jobrunner.batch_count where batch_id = b.id) c;
