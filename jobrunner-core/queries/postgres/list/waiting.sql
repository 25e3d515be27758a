-- As newest, of those that wait: without an end and a started lease. None of them is older than the
-- oldest that is ready, deferred or leased, which bounds how far the index is read.
with page (id) as (
    select j.id from jobrunner.job j
    where j.id < $1 and (j.lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
      and (j.name like $4 or $4 is null) and (j.owner_id = $5 or $5 is null) and (j.batch_id = $6 or $6 is null)
      and (j.project = any($7) or j.owner_id = $8 or $7 is null)
      and j.id >= (
          select least(
              (select r.job_id
               from jobrunner.lane l
               cross join generate_series(0, 10) as p (prio)
               cross join lateral (select job_id from jobrunner.ready
                                   where lane_id = l.id and prio = p.prio order by job_id limit 1) r
               where l.owner_id = $5 or $5 is null
               order by r.job_id limit 1),
              (select job_id from jobrunner.deferred order by job_id limit 1),
              (select job_id from jobrunner.lease where started_at is null order by job_id limit 1)))
      and not exists (select from jobrunner.ended e where e.job_id = j.id)
      and not exists (select from jobrunner.lease l where l.job_id = j.id and l.started_at is not null)
    order by j.id desc limit $2
)
