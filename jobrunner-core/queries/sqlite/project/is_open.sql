-- Whether a job of project $1 has not ended.
select exists (select 1 from job where project = $1 and status = 0)
