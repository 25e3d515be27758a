-- Whom to tell of what, and how.
create table subscription (
    id         blob    not null primary key,
    owner_id   blob    not null,
    name       text    not null,
    -- Of batches with this name; null is of all.
    batch_name text,
    -- The kinds of events, a JSON list of words. New kinds need no migration.
    kinds      text    not null,
    -- Where to and with which secret, as JSON.
    channel    text    not null,
    is_enabled integer not null,
    created_at integer not null
) without rowid;
create index subscription_of_owner on subscription (owner_id, id);

-- What is told, stored with what it tells of.
create table delivery (
    id              blob    not null primary key,
    subscription_id blob    not null,
    kind            text    not null,
    -- Null for what tells of no batch.
    batch_id        blob,
    batch_name      text,
    created_at      integer not null,
    -- When it is tried next; while somebody tries it, when somebody else may.
    due_at          integer not null,
    -- 0 waiting, 1 delivered, 2 given up
    state           integer not null default 0,
    -- Of whoever tries it.
    lease           blob,
    -- The attempts, a JSON list.
    attempts        text    not null default '[]',
    -- Each kind once of a batch.
    unique (batch_id, subscription_id, kind)
) without rowid;
create index delivery_of_subscription on delivery (subscription_id, id);
create index delivery_due on delivery (subscription_id, due_at) where state = 0;
