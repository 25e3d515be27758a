delete from deferred
where $1 is null or exists (select 1 from job where job.id = deferred.job_id and job.owner_id = $1)
