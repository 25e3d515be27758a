-- Everybody's batches, newest first: $1 before this id, $2 limit; $3 pattern of names, $4 status:
-- null is any.
with page (id) as (
    select id from batch
    where id < $1 and (name glob $3 or $3 is null) and (status = $4 or $4 is null)
    order by id desc limit $2
)
