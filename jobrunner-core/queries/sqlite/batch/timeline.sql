-- What happened to members in equal parts of the time from ?2 to ?3, milliseconds; ?4 how many parts. An
-- attempt that ended is in two of the rows.
with attempts as materialized (
    select a.started_at as started, a.finished_at as ended, a.status = 2 as passed
    from job j join attempt a on a.job_id = j.id
    where j.batch_id = ?1
    union all
    select l.started_at, null, null from lease l where l.batch_id = ?1 and l.started_at is not null
)
select part, sum(started) as started, sum(passed) as passed, sum(failed) as failed
from (
    select min(max((started - ?2) * ?4 / max(?3 - ?2, 1), 0), ?4 - 1) as part, 1 as started, 0 as passed,
           0 as failed
    from attempts
    union all
    select min(max((ended - ?2) * ?4 / max(?3 - ?2, 1), 0), ?4 - 1), 0, passed, not passed
    from attempts where ended is not null)
group by part
order by part
