-- Claims need not look at the lanes of a queue that is paused.
delete from jobrunner.active where lane_id in (select id from jobrunner.lane where queue = $1)
