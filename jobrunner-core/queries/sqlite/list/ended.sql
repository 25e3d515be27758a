-- Those that ended with status $9, and for reason $10, null being any; newest first.
, page (id) as (
    select id from given
    where status = $9 and id < $1 and ($3 is null or spec ->> '$.queue' = $3) and ($4 is null or name glob $4)
      and ($10 is null
           or $10 = (select reason from attempt where job_id = given.id order by attempt desc limit 1))
    order by id desc limit $2
)
