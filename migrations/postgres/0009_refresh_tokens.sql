-- How many refresh tokens of a sign-in have been exchanged; one that has been is refused, and ends the
-- sign-in. Where nothing was exchanged yet there is no row.
create table jobrunner.refreshed_sign_in (
    id         uuid        not null primary key,
    uses       bigint      not null,
    expires_at timestamptz not null
);
create index refreshed_sign_in_by_expiry on jobrunner.refreshed_sign_in (expires_at);
