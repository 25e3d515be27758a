-- Members by name. Null for $1 is from the first on.
, page (id) as (
    select id from member
    where (name, id) > (select name, id from jobrunner.member_view where id = $1) or $1 is null
    order by name, id limit $2
)
