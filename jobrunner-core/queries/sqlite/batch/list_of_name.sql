-- Batches of exactly the name $3, newest first: $1 before this id, $2 limit; $4 status, $5 owner,
-- $6 projects, beside which those of owner $7 are shown: null is any.
with page (id) as (
    select id from batch
    where name = $3 and id < $1 and (status = $4 or $4 is null) and (owner_id = $5 or $5 is null)
      and (project in (select value from json_each($6)) or owner_id = $7 or $6 is null)
    order by id desc limit $2
)
