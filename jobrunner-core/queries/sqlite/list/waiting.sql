-- Those that wait, newest first.
, page (id) as (
    select id from given
    where status = 0 and id not in (select job_id from lease where started_at is not null) and id < $1
      and ($3 is null or spec ->> '$.queue' = $3) and ($4 is null or name glob $4)
    order by id desc limit $2
)
