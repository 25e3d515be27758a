-- Whom to tell of what, and how.
create table jobrunner.subscription (
    id         uuid        not null primary key,
    owner_id   uuid        not null,
    name       text        not null,
    -- Of batches with this name; null is of all.
    batch_name text,
    -- The kinds of events, a JSON list of words. New kinds need no migration.
    kinds      text        not null,
    -- Where to and with which secret, as JSON.
    channel    text        not null,
    is_enabled boolean     not null,
    created_at timestamptz not null
);
create index subscription_of_owner on jobrunner.subscription (owner_id, id);

-- What is told, stored with what it tells of.
create table jobrunner.delivery (
    id              uuid        not null primary key,
    subscription_id uuid        not null,
    kind            text        not null,
    -- Null for what tells of no batch.
    batch_id        uuid,
    batch_name      text,
    created_at      timestamptz not null,
    -- When it is tried next; while somebody tries it, when somebody else may.
    due_at          timestamptz not null,
    -- 0 waiting, 1 delivered, 2 given up
    state           smallint    not null default 0,
    -- Of whoever tries it.
    lease           uuid,
    -- The attempts, a JSON list.
    attempts        text        not null default '[]',
    -- Each kind once of a batch.
    unique (batch_id, subscription_id, kind)
);
create index delivery_of_subscription on jobrunner.delivery (subscription_id, id);
create index delivery_due on jobrunner.delivery (subscription_id, due_at) where state = 0;

-- A UUIDv7 of now.
create function jobrunner.uuid7() returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
            || substr(digits, 1, 3) || '8' || substr(digits, 18, 15))::uuid
    from (select replace(gen_random_uuid()::text, '-', '') as digits) random
$$;
