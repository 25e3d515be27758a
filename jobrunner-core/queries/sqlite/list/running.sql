-- Those that run, newest first, out of the few that are leased.
, page (id) as (
    select j.id from lease l cross join given j on j.id = l.job_id
    where l.started_at is not null and j.id < $1
      and ($3 is null or j.spec ->> '$.queue' = $3) and ($4 is null or j.name glob $4)
    order by j.id desc limit $2
)
