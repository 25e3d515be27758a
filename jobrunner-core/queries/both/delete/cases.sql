delete from jobrunner.job_case
where job_id in (select id from jobrunner.job where id = $1 or batch_id = $1)
