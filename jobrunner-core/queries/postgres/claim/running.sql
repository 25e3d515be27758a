-- How many jobs these owners have leased, as of this statement.
select owner_id, count(*) from jobrunner.lease where owner_id = any($1) group by owner_id
