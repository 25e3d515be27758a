-- Batches of exactly the name $3, newest first: $1 before this id, $2 limit; $4 status, $5 owner:
-- null is any.
with page (id) as (
    select id from jobrunner.batch
    where name = $3 and id < $1 and (status = $4 or $4 is null) and (owner_id = $5 or $5 is null)
    order by id desc limit $2
)
