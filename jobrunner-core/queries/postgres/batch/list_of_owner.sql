-- An owner's batches, newest first. $1 owner, $2 status code, $3 name pattern: null is any. $4 before this id, $5 limit.
select id, owner_id, name, description, payload, rerun_of, created_at, status, started_at, finished_at,
       waiting, running, passed, failed, canceled, flaky
from jobrunner.batch_view
where owner_id = $1 and ($2::bigint is null or status = $2) and ($3::text is null or name like $3) and id < $4
order by id desc limit $5
