-- The running attempt of a lease.
select attempts from lease where token = $1 and job_id = $2 and started_at is not null
