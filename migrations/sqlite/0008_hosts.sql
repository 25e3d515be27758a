-- On which host a worker ran, for as long as its attempts are looked at: its session ends with it.
create table worker_host (
    id   blob not null primary key,
    host text not null
) without rowid;
insert into worker_host (id, host) select id, host from session;
