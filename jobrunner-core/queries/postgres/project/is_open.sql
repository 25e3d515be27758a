-- Whether a job of project $1 has not ended.
select exists (
    select from jobrunner.job j
    where j.project = $1 and not exists (select from jobrunner.ended e where e.job_id = j.id))
