-- Those of these batches that have not finished though all their jobs have ended.
select b.id, c.*
from jobrunner.batch b
cross join lateral (
    select coalesce(sum(waiting), 0)::bigint as waiting, coalesce(sum(running), 0)::bigint as running,
           coalesce(sum(passed), 0)::bigint as passed, coalesce(sum(failed), 0)::bigint as failed,
           coalesce(sum(canceled), 0)::bigint as canceled
    from jobrunner.batch_count where batch_id = b.id) c
where b.id = any($1) and b.finished_at is null
  and c.waiting = 0 and c.running = 0 and c.passed + c.failed + c.canceled > 0
