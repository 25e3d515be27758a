-- What happened to members in equal parts of the time from $2 to $3, milliseconds; $4 how many
-- parts. Attempts that began and ended in the same parts are counted first, and then each twice:
-- for its start and for its end.
with attempts as materialized (
    select least(greatest(floor((date_part('epoch', a.started_at) * 1000 - $2) * $4 / greatest($3 - $2, 1)), 0),
                 $4 - 1)::bigint as began,
           least(greatest(floor((date_part('epoch', a.finished_at) * 1000 - $2) * $4 / greatest($3 - $2, 1)), 0),
                 $4 - 1)::bigint as ended,
           a.status = 2 as passed, count(*) as n
    from jobrunner.job j join jobrunner.attempt a on a.job_id = j.id
    where j.batch_id = $1
    group by 1, 2, 3
    union all
    select least(greatest(floor((date_part('epoch', l.started_at) * 1000 - $2) * $4 / greatest($3 - $2, 1)), 0),
                 $4 - 1)::bigint, null, null, count(*)
    from jobrunner.lease l
    where l.batch_id = $1 and l.started_at is not null
    group by 1
)
select part, sum(started)::bigint as started, sum(passed)::bigint as passed, sum(failed)::bigint as failed
from (
    select began as part, n as started, 0 as passed, 0 as failed from attempts
    union all
    select ended, 0, case when passed then n else 0 end, case when passed then 0 else n end
    from attempts where ended is not null) e
group by part
order by part
