-- What happened to members in equal parts of the time from $2 to $3, milliseconds; $4 how many parts. An
-- attempt that ended is in two of the rows.
with attempts as materialized (
    select jobrunner.ms(a.started_at) as started, jobrunner.ms(a.finished_at) as ended, a.status = 2 as passed
    from jobrunner.job j join jobrunner.attempt a on a.job_id = j.id
    where j.batch_id = $1
    union all
    select jobrunner.ms(l.started_at), null, null from jobrunner.lease l
    where l.batch_id = $1 and l.started_at is not null
)
select part, sum(started)::bigint as started, sum(passed)::bigint as passed, sum(failed)::bigint as failed
from (
    select least(greatest((started - $2) * $4 / greatest($3 - $2, 1), 0), $4 - 1) as part, 1 as started,
           0 as passed, 0 as failed
    from attempts
    union all
    select least(greatest((ended - $2) * $4 / greatest($3 - $2, 1), 0), $4 - 1), 0, passed::int, (not passed)::int
    from attempts where ended is not null) e
group by part
order by part
