select id, owner_id, name, description, payload, rerun_of, created_at, status, started_at, finished_at,
       waiting, running, passed, failed, canceled, flaky
from jobrunner.batch_view
where id = $1 and ($2::uuid is null or owner_id = $2)
