-- The end of its last job. The condition makes it happen once; whether somebody may have asked to
-- be told of it. $1 batch, $2 its status.
with finished as (
    update jobrunner.batch set status = $2, finished_at = clock_timestamp() where id = $1 and finished_at is null
    returning owner_id, project
)
select exists (select 1 from jobrunner.subscription s
               where (s.owner_id = f.owner_id and s.project is null) or s.project = f.project)
from finished f
