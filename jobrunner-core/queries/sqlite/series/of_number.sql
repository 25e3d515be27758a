-- As get, of number $1.
with page (id) as (
    select id from series
    where no = $1 and (owner_id = $2 or $2 is null) and (project in (select value from json_each($3)) or owner_id = $4 or $3 is null)
)
