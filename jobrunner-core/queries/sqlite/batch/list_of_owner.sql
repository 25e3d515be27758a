-- The batches of owner $5, as list_of_all.
with page (id) as (
    select id from batch
    where owner_id = $5 and ($6 is null or project in (select value from json_each($6))) and id < $1 and (name glob $3 or $3 is null) and (status = $4 or $4 is null)
    order by id desc limit $2
)
