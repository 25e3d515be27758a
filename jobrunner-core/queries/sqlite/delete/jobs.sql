-- A job, or all members of a batch.
delete from job where id = $1 or batch_id = $1
