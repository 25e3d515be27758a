-- Whether the job may still be started, or runs unmarked.
select not exists (select from jobrunner.ended where job_id = $1)
   and not exists (select from jobrunner.lease where job_id = $1 and cancel)
