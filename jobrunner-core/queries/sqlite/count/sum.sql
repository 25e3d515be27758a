-- How the jobs of an owner stand; of everybody when ?1 is null.
select coalesce(sum(waiting), 0) as waiting, coalesce(sum(running), 0) as running,
       coalesce(sum(passed), 0) as passed, coalesce(sum(failed), 0) as failed,
       coalesce(sum(canceled), 0) as canceled
from owner_count
where ?1 is null or owner_id = ?1
