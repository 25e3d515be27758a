-- Sign-ins that were ended before their tokens expire: these must be refused until then.
create table jobrunner.ended_sign_in (
    id         uuid        not null primary key,
    expires_at timestamptz not null
);
create index ended_sign_in_by_expiry on jobrunner.ended_sign_in (expires_at);
