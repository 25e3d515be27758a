-- Members by how long they ran, or have been running; those without a start come last. $11 is 1 for
-- the shortest first and -1 for the longest. Null for $1 is from the first on.
, page (id) as (
    select id from member
    where (coalesce($11 * ran_ms, 9223372036854775807), id) > (
              select coalesce($11 * ran_ms, 9223372036854775807), id from jobrunner.member_view where id = $1)
       or $1 is null
    order by coalesce($11 * ran_ms, 9223372036854775807), id limit $2
)
