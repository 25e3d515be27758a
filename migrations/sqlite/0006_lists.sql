-- How long the last attempt of an ended job took, beside its end: members of a batch are sorted by it.
alter table job add column ran_ms integer;
update job set ran_ms = (select duration_ms from attempt where job_id = job.id order by attempt desc limit 1)
where status <> 0;

-- What members of a batch are sorted and picked by. Each column that is not asked for costs nothing.
create view member_view as
select j.id, j.owner_id, j.batch_id, j.spec ->> '$.queue' as queue, j.name,
       case when l.token is not null then 1 else j.status end as status,
       case when j.status <> 0
            then (select reason from attempt where job_id = j.id order by attempt desc limit 1) end as reason,
       case when l.token is not null then cast(unixepoch('subsec') * 1000 as integer) - l.started_at
            else j.ran_ms end as ran_ms
  from job j
  left join lease l on l.job_id = j.id and l.started_at is not null;

-- For the runs of one suite.
create index batch_of_name on batch (name, id);
