-- How many cases of an attempt's reports ended how, as JSON; nothing if its job names no reports.
alter table attempt add column report text;

-- The cases of the reports of an attempt. Written once, in the order in which they are shown.
create table job_case (
    job_id      blob    not null,
    attempt     integer not null,
    place       integer not null,
    duration_ms integer,
    -- 2 passed, 3 failed, 5 skipped.
    status      integer not null,
    flaky       integer not null,
    class       text    not null,
    name        text    not null,
    file        text,
    message     text,
    primary key (job_id, attempt, place)
) without rowid;

drop view job_view;

-- A job as it is shown: what runs is read from its lease, how it ended from its last attempt.
create view job_view as
select j.id, j.owner_id, j.batch_id, j.spec, j.created_at, j.finished_at,
       case when l.token is not null then 1 else j.status end as status,
       coalesce(l.attempts, a.attempt, 0) as attempt,
       coalesce(l.started_at, case when j.status <> 0 then a.started_at end) as started_at,
       a.attempt as last_attempt, a.worker_id, a.exit_code, a.signal, a.reason, a.error,
       a.duration_ms, a.stdout_bytes, a.stderr_bytes, a.truncated, j.flaky, a.report
  from job j
  left join lease l on l.job_id = j.id and l.started_at is not null
  left join attempt a on a.job_id = j.id
   and a.attempt = (select max(attempt) from attempt where job_id = j.id);
