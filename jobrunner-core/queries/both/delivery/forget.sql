-- Those that were made before this id and wait for nothing.
delete from jobrunner.delivery where id < $1 and state <> 0
