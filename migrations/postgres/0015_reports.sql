-- How many cases of an attempt's reports ended how, as JSON; nothing if its job names no reports.
alter table jobrunner.attempt add column report text;

-- The cases of the reports of an attempt. Written once, in the order in which they are shown.
create table jobrunner.job_case (
    job_id      uuid     not null,
    attempt     bigint   not null,
    place       bigint   not null,
    duration_ms bigint,
    -- 2 passed, 3 failed, 5 skipped.
    status      smallint not null,
    flaky       boolean  not null,
    class       text     not null,
    name        text     not null,
    file        text,
    message     text,
    primary key (job_id, attempt, place)
);

-- A job as it is shown: what runs is read from its lease, how it ended from its last attempt.
create or replace view jobrunner.job_view as
select j.id, j.owner_id, j.batch_id, j.spec, jobrunner.ms(j.created_at) as created_at,
       jobrunner.ms(e.finished_at) as finished_at,
       (case when l.token is not null then 1 else coalesce(e.status, 0) end)::bigint as status,
       coalesce(l.attempts, a.attempt, 0) as attempt,
       jobrunner.ms(coalesce(l.started_at, case when e.job_id is not null then a.started_at end))
           as started_at,
       a.attempt as last_attempt, a.worker_id, a.exit_code, a.signal, a.reason, a.error,
       a.duration_ms, a.stdout_bytes, a.stderr_bytes, a.truncated, coalesce(e.flaky, false) as flaky,
       a.report
  from jobrunner.job j
  left join jobrunner.ended e on e.job_id = j.id
  left join jobrunner.lease l on l.job_id = j.id and l.started_at is not null
  left join lateral (select * from jobrunner.attempt where job_id = j.id order by attempt desc limit 1) a
       on true;
