-- Sign-ins that outlive a new password, which ends all others of the account: those that have set it.
create table kept_sign_in (
    id            blob    not null primary key,
    user_id       blob    not null,
    -- The account's, from when on the tokens of the sign-in are good whatever version they say.
    token_version integer not null,
    expires_at    integer not null
) without rowid;
create index kept_sign_in_by_expiry on kept_sign_in (expires_at);
