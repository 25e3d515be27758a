-- As get, of number $1.
with page (id) as (
    select id from jobrunner.series
    where no = $1 and (owner_id = $2 or $2 is null) and (project = any($3) or owner_id = $4 or $3 is null)
)
