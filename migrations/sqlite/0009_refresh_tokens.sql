-- How many refresh tokens of a sign-in have been exchanged; one that has been is refused, and ends the
-- sign-in. Where nothing was exchanged yet there is no row.
create table refreshed_sign_in (
    id         blob    not null primary key,
    uses       integer not null,
    expires_at integer not null
) without rowid;
create index refreshed_sign_in_by_expiry on refreshed_sign_in (expires_at);
