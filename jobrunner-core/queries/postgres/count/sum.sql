-- How the jobs of an owner stand; of everybody when $1 is null.
select coalesce(sum(waiting), 0)::bigint as waiting, coalesce(sum(running), 0)::bigint as running,
       coalesce(sum(passed), 0)::bigint as passed, coalesce(sum(failed), 0)::bigint as failed,
       coalesce(sum(canceled), 0)::bigint as canceled
from jobrunner.owner_count
where $1::uuid is null or owner_id = $1
