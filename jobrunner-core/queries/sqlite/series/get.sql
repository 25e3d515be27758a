-- Series $1, if it belongs to owner $2, which is any if null; and to one of projects $3 or to
-- owner $4, which is any if $3 is null.
with page (id) as (
    select id from series
    where id = $1 and (owner_id = $2 or $2 is null) and (project in (select value from json_each($3)) or owner_id = $4 or $3 is null)
)
