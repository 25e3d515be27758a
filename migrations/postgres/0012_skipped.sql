-- Jobs that passed by an exit code that says that they had nothing to do: their last attempt
-- passed, and did not return 0.
alter table jobrunner.batch_count add column skipped bigint not null default 0;

create or replace view jobrunner.batch_view as
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of,
       jobrunner.ms(b.created_at) as created_at, b.status::bigint as status,
       jobrunner.ms(b.started_at) as started_at, jobrunner.ms(b.finished_at) as finished_at,
       c.waiting, c.running, c.passed, c.failed, c.canceled, c.flaky, c.skipped
  from jobrunner.batch b
  cross join lateral (
      select coalesce(sum(waiting), 0)::bigint as waiting, coalesce(sum(running), 0)::bigint as running,
             coalesce(sum(passed), 0)::bigint as passed, coalesce(sum(failed), 0)::bigint as failed,
             coalesce(sum(canceled), 0)::bigint as canceled, coalesce(sum(flaky), 0)::bigint as flaky,
             coalesce(sum(skipped), 0)::bigint as skipped
        from jobrunner.batch_count where batch_id = b.id) c;
