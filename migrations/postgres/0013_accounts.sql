-- Sign-ins that outlive a new password, which ends all others of the account: those that have set
-- it.
create table jobrunner.kept_sign_in (
    id            uuid        not null primary key,
    user_id       uuid        not null,
    -- The account's, from when on the tokens of the sign-in are good whatever version they say.
    token_version bigint      not null,
    expires_at    timestamptz not null
);
create index kept_sign_in_by_expiry on jobrunner.kept_sign_in (expires_at);

-- Personal access tokens. Of the secret there is its SHA-256 alone: it is random enough that nobody
-- guesses it.
create table jobrunner.personal_token (
    id           uuid        not null primary key,
    owner_id     uuid        not null,
    name         text        not null,
    -- What it is good for, a JSON list of words.
    scopes       text        not null,
    digest       bytea       not null unique,
    created_at   timestamptz not null,
    expires_at   timestamptz,
    last_used_at timestamptz
);
create index personal_token_of_owner on jobrunner.personal_token (owner_id, id);

-- A service account has no password: programs use it by tokens that admins make for it.
alter table jobrunner.account add column is_service boolean not null default false;
