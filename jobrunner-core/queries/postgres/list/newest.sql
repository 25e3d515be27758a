-- Jobs, newest first: $1 before this id, $2 limit; $3 queue, $4 pattern of names, $5 owner, $6
-- batch, $7 projects, beside which those of owner $8 are shown: null is any.
with page (id) as (
    select id from jobrunner.job
    where id < $1 and (lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
      and (name like $4 or $4 is null) and (owner_id = $5 or $5 is null) and (batch_id = $6 or $6 is null)
      and (project = any($7) or owner_id = $8 or $7 is null)
    order by id desc limit $2
)
