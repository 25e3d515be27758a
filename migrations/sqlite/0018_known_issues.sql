-- Failures that are known: what they are called, which tests fail so, and until when it may be.
create table known_issue (
    id         blob    not null primary key,
    owner_id   blob    not null,
    -- Null is of the runs of its owner that belong to no project.
    project    text,
    title      text    not null,
    series     text,
    test       text    not null,
    -- As JSON; null is any.
    variant    text,
    pattern    text,
    effect     text    not null check (effect in ('mute', 'xfail')),
    ticket     text,
    created_at integer not null,
    expires_at integer not null
) without rowid;
create index known_issue_of_project on known_issue (project) where project is not null;
create index known_issue_of_owner on known_issue (owner_id) where project is null;
