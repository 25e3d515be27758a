-- Owners know the lanes of a queue by its weight.
update jobrunner.active set weight = $2
where lane_id in (select id from jobrunner.lane where queue = $1)
