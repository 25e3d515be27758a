-- As newest, of those that run, out of the few that are leased.
with page (id) as (
    select j.id from jobrunner.lease l join jobrunner.job j on j.id = l.job_id
    where l.started_at is not null and j.id < $1
      and (j.lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
      and (j.name like $4 or $4 is null) and (j.owner_id = $5 or $5 is null) and (j.batch_id = $6 or $6 is null)
      and (j.project = any($7) or j.owner_id = $8 or $7 is null)
    order by j.id desc limit $2
)
