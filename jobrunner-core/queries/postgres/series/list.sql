-- Series, newest first: $1 before this id, $2 limit; $3 name, $4 pattern of names; $5 owner, $6
-- projects, beside which those of owner $7 are shown: null is any.
with page (id) as (
    select id from jobrunner.series
    where id < $1 and (name = $3 or $3 is null) and (name like $4 or $4 is null)
      and (owner_id = $5 or $5 is null)
      and (project = any($6) or owner_id = $7 or $6 is null)
    order by id desc limit $2
)
