-- Times are milliseconds since 1970 UTC; ids are the 16 bytes of a UUID; statuses are the codes of
-- store/sqlite/rows.rs: 0 waiting, 1 running, 2 passed, 3 failed, 4 canceled.
--
-- Hot and cold apart. `ready`, `deferred` and `lease` are narrow and hold only what is open; `job` is
-- wide, written once at submission and once at its end. A job is in exactly one of the three while it
-- is open. It runs if its lease has been started; `job.status` stays 0 until it has ended.

create table account (
    id               blob    not null primary key,
    email            text    not null unique,
    password_hash    text    not null,
    role             text    not null check (role in ('admin', 'operator', 'viewer')),
    is_active        integer not null,
    max_running_jobs integer,
    token_version    integer not null default 0,
    created_at       integer not null
);

create table queue (
    name   text    not null primary key,
    weight real    not null default 1 check (weight > 0),
    paused integer not null default 0
) without rowid;

-- A lane is one owner's place in one queue. Lanes take turns in the order of their virtual time, which
-- grows by 1/weight with each job that is claimed from them.
create table lane (
    id       integer primary key,
    queue    text not null,
    owner_id blob not null,
    vtime    real not null default 0,
    unique (queue, owner_id)
);

create table job (
    id           blob    not null primary key,
    owner_id     blob    not null,
    batch_id     blob,
    lane_id      integer not null,
    -- The whole specification as JSON. The columns below it repeat what queries need.
    spec         text    not null,
    name         text    not null,
    priority     integer not null,
    max_attempts integer not null,
    run_at       integer,
    created_at   integer not null,
    status       integer not null default 0,
    finished_at  integer
);
create index job_of_batch on job (batch_id, status, id) where batch_id is not null;
create index job_of_owner on job (owner_id, status, id);
create index job_of_all on job (status, id);

-- Claimable now. `prio` is 10 minus the priority, so that the first row of a lane is its next job.
create table ready (
    lane_id  integer not null,
    prio     integer not null,
    job_id   blob    not null,
    attempts integer not null,
    losses   integer not null,
    primary key (lane_id, prio, job_id)
) without rowid;

-- Claimable from `run_at` on.
create table deferred (
    run_at   integer not null,
    job_id   blob    not null unique,
    attempts integer not null,
    losses   integer not null,
    primary key (run_at, job_id)
) without rowid;

-- `expires_at` counts the milliseconds of a clock that nobody sets, since the machine was started.
create table session (
    id         blob    not null primary key,
    host       text    not null,
    pid        integer not null,
    slots      integer not null,
    queues     text    not null,
    ttl_ms     integer not null,
    draining   integer not null default 0,
    started_at integer not null,
    seen_at    integer not null,
    expires_at integer not null
);

-- The token is never used again: autoincrement remembers the largest one ever given out.
create table lease (
    token      integer primary key autoincrement,
    job_id     blob    not null unique,
    session_id blob    not null,
    owner_id   blob    not null,
    batch_id   blob,
    attempts   integer not null,
    losses     integer not null,
    claimed_at integer not null,
    started_at integer,
    cancel     integer not null default 0
);

-- How attempts ended; the running one is the lease. Rows are never changed.
create table attempt (
    job_id       blob    not null,
    attempt      integer not null,
    token        integer not null,
    worker_id    blob    not null,
    started_at   integer not null,
    finished_at  integer not null,
    status       integer not null,
    exit_code    integer,
    signal       text,
    reason       text,
    error        text,
    duration_ms  integer not null,
    stdout_bytes integer not null,
    stderr_bytes integer not null,
    truncated    integer not null,
    primary key (job_id, attempt)
) without rowid;

create table batch (
    id          blob    not null primary key,
    owner_id    blob    not null,
    name        text    not null,
    description text,
    payload     text    not null,
    rerun_of    blob,
    created_at  integer not null,
    status      integer not null default 0,
    started_at  integer,
    finished_at integer
);
create index batch_of_owner on batch (owner_id, id);

create table batch_count (
    batch_id blob    not null primary key,
    waiting  integer not null,
    running  integer not null,
    passed   integer not null,
    failed   integer not null,
    canceled integer not null
) without rowid;

create table owner_count (
    owner_id blob    not null primary key,
    waiting  integer not null,
    running  integer not null,
    passed   integer not null,
    failed   integer not null,
    canceled integer not null
) without rowid;

create table log_chunk (
    job_id  blob    not null,
    attempt integer not null,
    stream  integer not null,
    start   integer not null,
    bytes   blob    not null
);
create unique index log_chunk_key on log_chunk (job_id, attempt, stream, start);

-- A stream whose middle was left out: its kept head ends at `head_end`.
create table log_gap (
    job_id   blob    not null,
    attempt  integer not null,
    stream   integer not null,
    head_end integer not null,
    primary key (job_id, attempt, stream)
) without rowid;

create table idempotency (
    owner_id   blob    not null,
    key        text    not null,
    digest     blob    not null,
    made_id    blob    not null,
    created_at integer not null,
    primary key (owner_id, key)
) without rowid;

-- A job as it is shown: what runs is read from its lease, how it ended from its last attempt.
create view job_view as
select j.id, j.owner_id, j.batch_id, j.spec, j.created_at, j.finished_at,
       case when l.token is not null then 1 else j.status end as status,
       coalesce(l.attempts, a.attempt, 0) as attempt,
       coalesce(l.started_at, case when j.status <> 0 then a.started_at end) as started_at,
       a.attempt as last_attempt, a.worker_id, a.exit_code, a.signal, a.reason, a.error,
       a.duration_ms, a.stdout_bytes, a.stderr_bytes, a.truncated
  from job j
  left join lease l on l.job_id = j.id and l.started_at is not null
  left join attempt a on a.job_id = j.id
   and a.attempt = (select max(attempt) from attempt where job_id = j.id);

create view batch_view as
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of, b.created_at, b.status,
       b.started_at, b.finished_at, c.waiting, c.running, c.passed, c.failed, c.canceled
  from batch b
  join batch_count c on c.batch_id = b.id;
