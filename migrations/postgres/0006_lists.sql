-- How long the last attempt of an ended job took, beside its end: members of a batch are sorted by it.
alter table jobrunner.ended add column duration_ms bigint;
update jobrunner.ended e
   set duration_ms = (select a.duration_ms from jobrunner.attempt a where a.job_id = e.job_id
                      order by a.attempt desc limit 1);

-- What members of a batch are sorted and picked by; the ends and leases of one batch are found by its index. Each column that is not asked for costs nothing.
create view jobrunner.member_view as
select j.id, j.owner_id, j.batch_id, j.lane_id, j.name collate "C" as name,
       (case when l.token is not null then 1 else coalesce(e.status, 0) end)::bigint as status,
       case when e.job_id is not null
            then (select a.reason from jobrunner.attempt a where a.job_id = j.id
                  order by a.attempt desc limit 1) end as reason,
       case when l.token is not null then (extract(epoch from now() - l.started_at) * 1000)::bigint
            else e.duration_ms end as ran_ms
  from jobrunner.job j
  left join jobrunner.ended e on e.job_id = j.id and e.batch_id = j.batch_id
  left join jobrunner.lease l on l.job_id = j.id and l.batch_id = j.batch_id and l.started_at is not null;

-- For the runs of one suite.
create index batch_of_name on jobrunner.batch (name, id);
