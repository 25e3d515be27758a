-- Sign-ins that were ended before their tokens expire: these must be refused until then.
create table ended_sign_in (
    id         blob    not null primary key,
    expires_at integer not null
) without rowid;
create index ended_sign_in_by_expiry on ended_sign_in (expires_at);
