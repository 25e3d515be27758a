-- The running attempt of a lease, which cannot be taken back until the output is stored.
select attempts from jobrunner.lease
where token = $1 and job_id = $2 and started_at is not null
for key share
