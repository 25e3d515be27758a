-- Nothing is leased beside job $1.
update jobrunner.lease set alone = true where job_id = $1
