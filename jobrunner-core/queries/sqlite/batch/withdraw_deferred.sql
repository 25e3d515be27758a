delete from deferred
where job_id in (select id from job where batch_id = ?1 and status = 0)
