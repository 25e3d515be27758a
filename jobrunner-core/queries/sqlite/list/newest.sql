-- Newest first. For each stored status an index is read backwards; what they have is merged, up to
-- the limit.
, matching as not materialized (
    select id, status from given
    where id < $1 and ($3 is null or spec ->> '$.queue' = $3) and ($4 is null or name glob $4)
), page (id) as (
    select id from matching where status = 0
    union all select id from matching where status = 2
    union all select id from matching where status = 3
    union all select id from matching where status = 4
    order by id desc limit $2
)
