-- On which host a worker ran, for as long as its attempts are looked at: its session ends with it.
create table jobrunner.worker_host (
    id   uuid not null primary key,
    host text not null
);
insert into jobrunner.worker_host (id, host) select id, host from jobrunner.session;
