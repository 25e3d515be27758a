-- Sign-ins that outlive a new password, which ends all others of the account: those that have set
-- it.
create table kept_sign_in (
    id            blob    not null primary key,
    user_id       blob    not null,
    -- The account's, from when on the tokens of the sign-in are good whatever version they say.
    token_version integer not null,
    expires_at    integer not null
) without rowid;
create index kept_sign_in_by_expiry on kept_sign_in (expires_at);

-- Personal access tokens. Of the secret there is its SHA-256 alone: it is random enough that nobody
-- guesses it.
create table personal_token (
    id           blob    not null primary key,
    owner_id     blob    not null,
    name         text    not null,
    -- What it is good for, a JSON list of words.
    scopes       text    not null,
    digest       blob    not null unique,
    created_at   integer not null,
    expires_at   integer,
    last_used_at integer
) without rowid;
create index personal_token_of_owner on personal_token (owner_id, id);

-- A service account has no password: programs use it by tokens that admins make for it.
alter table account add column is_service integer not null default 0;
