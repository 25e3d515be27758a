-- A job, or all members of a batch, with their ends.
with ends as (
    delete from jobrunner.ended
    where job_id in (select id from jobrunner.job where id = $1 or batch_id = $1)
)
delete from jobrunner.job where id = $1 or batch_id = $1
