-- What a job says about its repetitions, as JSON; the rest of its specification is not needed to decide.
alter table jobrunner.job add column retry text;

-- A job that waits again may prefer another host than the one that could not run it, for a while.
alter table jobrunner.ready add column avoid_host text;
alter table jobrunner.ready add column avoid_until timestamptz;
alter table jobrunner.lease add column host text not null default '';

-- How a worker holds together what commands start.
alter table jobrunner.session add column containment text not null default 'process_group';

-- Jobs that passed after they had failed.
alter table jobrunner.ended add column flaky boolean not null default false;
alter table jobrunner.batch_count add column flaky bigint not null default 0;

-- A job as it is shown: what runs is read from its lease, how it ended from its last attempt.
create or replace view jobrunner.job_view as
select j.id, j.owner_id, j.batch_id, j.spec, jobrunner.ms(j.created_at) as created_at,
       jobrunner.ms(e.finished_at) as finished_at,
       (case when l.token is not null then 1 else coalesce(e.status, 0) end)::bigint as status,
       coalesce(l.attempts, a.attempt, 0) as attempt,
       jobrunner.ms(coalesce(l.started_at, case when e.job_id is not null then a.started_at end))
           as started_at,
       a.attempt as last_attempt, a.worker_id, a.exit_code, a.signal, a.reason, a.error,
       a.duration_ms, a.stdout_bytes, a.stderr_bytes, a.truncated, coalesce(e.flaky, false) as flaky
  from jobrunner.job j
  left join jobrunner.ended e on e.job_id = j.id
  left join jobrunner.lease l on l.job_id = j.id and l.started_at is not null
  left join lateral (select * from jobrunner.attempt where job_id = j.id order by attempt desc limit 1) a
       on true;

create or replace view jobrunner.batch_view as
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of,
       jobrunner.ms(b.created_at) as created_at, b.status::bigint as status,
       jobrunner.ms(b.started_at) as started_at, jobrunner.ms(b.finished_at) as finished_at,
       c.waiting, c.running, c.passed, c.failed, c.canceled, c.flaky
  from jobrunner.batch b
  cross join lateral (
      select coalesce(sum(waiting), 0)::bigint as waiting, coalesce(sum(running), 0)::bigint as running,
             coalesce(sum(passed), 0)::bigint as passed, coalesce(sum(failed), 0)::bigint as failed,
             coalesce(sum(canceled), 0)::bigint as canceled, coalesce(sum(flaky), 0)::bigint as flaky
        from jobrunner.batch_count where batch_id = b.id) c;
