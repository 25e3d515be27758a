-- Jobs that have not ended and do not run, counted by owner and batch. $1 owner, null is any.
select owner_id, batch_id, count(*) from job
where status = 0 and ($1 is null or owner_id = $1)
  and id not in (select job_id from lease where started_at is not null)
group by owner_id, batch_id
