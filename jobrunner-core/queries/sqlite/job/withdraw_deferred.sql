delete from deferred where job_id = ?1
