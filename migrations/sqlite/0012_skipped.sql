-- Jobs that passed by an exit code that says that they had nothing to do: their last attempt
-- passed, and did not return 0.
alter table batch_count add column skipped integer not null default 0;

drop view batch_view;

create view batch_view as
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of, b.created_at, b.status,
       b.started_at, b.finished_at, c.waiting, c.running, c.passed, c.failed, c.canceled,
       c.flaky, c.skipped
  from batch b
  join batch_count c on c.batch_id = b.id;
