-- What a job says about its repetitions, as JSON; the rest of its specification is not needed to decide.
alter table job add column retry text;

-- A job that waits again may prefer another host than the one that could not run it, for a while.
alter table ready add column avoid_host text;
alter table ready add column avoid_until integer;
alter table lease add column host text not null default '';

-- How a worker holds together what commands start.
alter table session add column containment text not null default 'process_group';

-- Jobs that passed after they had failed.
alter table job add column flaky integer not null default 0;
alter table batch_count add column flaky integer not null default 0;

drop view job_view;
drop view batch_view;

-- A job as it is shown: what runs is read from its lease, how it ended from its last attempt.
create view job_view as
select j.id, j.owner_id, j.batch_id, j.spec, j.created_at, j.finished_at,
       case when l.token is not null then 1 else j.status end as status,
       coalesce(l.attempts, a.attempt, 0) as attempt,
       coalesce(l.started_at, case when j.status <> 0 then a.started_at end) as started_at,
       a.attempt as last_attempt, a.worker_id, a.exit_code, a.signal, a.reason, a.error,
       a.duration_ms, a.stdout_bytes, a.stderr_bytes, a.truncated, j.flaky
  from job j
  left join lease l on l.job_id = j.id and l.started_at is not null
  left join attempt a on a.job_id = j.id
   and a.attempt = (select max(attempt) from attempt where job_id = j.id);

create view batch_view as
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of, b.created_at, b.status,
       b.started_at, b.finished_at, c.waiting, c.running, c.passed, c.failed, c.canceled,
       c.flaky
  from batch b
  join batch_count c on c.batch_id = b.id;
