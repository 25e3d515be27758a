-- The members of a project are changed by one at a time.
select name from jobrunner.project where name = $1 for update
