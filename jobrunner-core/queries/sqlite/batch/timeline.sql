-- What happened to members in equal parts of the time from $2 to $3, milliseconds; $4 how many
-- parts. Attempts that began and ended in the same parts are counted first, and then each twice:
-- for its start and for its end.
with attempts as materialized (
    select min(max((a.started_at - $2) * $4 / max($3 - $2, 1), 0), $4 - 1) as began,
           min(max((a.finished_at - $2) * $4 / max($3 - $2, 1), 0), $4 - 1) as ended,
           a.status = 2 as passed, count(*) as n
    from job j join attempt a on a.job_id = j.id
    where j.batch_id = $1
    group by 1, 2, 3
    union all
    select min(max((l.started_at - $2) * $4 / max($3 - $2, 1), 0), $4 - 1), null, null, count(*)
    from lease l
    where l.batch_id = $1 and l.started_at is not null
    group by 1
)
select part, sum(started) as started, sum(passed) as passed, sum(failed) as failed
from (
    select began as part, n as started, 0 as passed, 0 as failed from attempts
    union all
    select ended, 0, iif(passed, n, 0), iif(passed, 0, n) from attempts where ended is not null)
group by part
order by part
