-- As newest, of those that ended with status $9, and for reason $10, null being any.
with page (id) as (
    select e.job_id from jobrunner.ended e join jobrunner.job j on j.id = e.job_id
    where e.status = $9 and e.job_id < $1
      and (j.lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
      and (j.name like $4 or $4 is null) and (e.owner_id = $5 or $5 is null) and (e.batch_id = $6 or $6 is null)
      and (e.project = any($7) or e.owner_id = $8 or $7 is null)
      and ($10 = (select a.reason from jobrunner.attempt a where a.job_id = e.job_id
                 order by a.attempt desc limit 1) or $10 is null)
    order by e.job_id desc limit $2
)
