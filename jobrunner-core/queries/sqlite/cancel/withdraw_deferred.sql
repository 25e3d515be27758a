delete from deferred
where job_id in (select id from job where (id = $1 or batch_id = $1) and +status = 0)
