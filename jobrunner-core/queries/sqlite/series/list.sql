-- Series, newest first: $1 before this id, $2 limit; $3 name, $4 pattern of names; $5 owner, $6
-- projects, beside which those of owner $7 are shown: null is any.
with page (id) as (
    select id from series
    where id < $1 and (name = $3 or $3 is null) and (name glob $4 or $4 is null)
      and (owner_id = $5 or $5 is null)
      and (project in (select value from json_each($6)) or owner_id = $7 or $6 is null)
    order by id desc limit $2
)
