select coalesce(sum(waiting), 0)::bigint as waiting, coalesce(sum(running), 0)::bigint as running,
       coalesce(sum(passed), 0)::bigint as passed, coalesce(sum(failed), 0)::bigint as failed,
       coalesce(sum(canceled), 0)::bigint as canceled
from jobrunner.batch_count where batch_id = $1
