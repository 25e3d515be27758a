-- Sign-ins that outlive a new password, which ends all others of the account: those that have set it.
create table jobrunner.kept_sign_in (
    id            uuid        not null primary key,
    user_id       uuid        not null,
    -- The account's, from when on the tokens of the sign-in are good whatever version they say.
    token_version bigint      not null,
    expires_at    timestamptz not null
);
create index kept_sign_in_by_expiry on jobrunner.kept_sign_in (expires_at);
