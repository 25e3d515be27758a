-- Queues that have had no open job for $1 milliseconds.
delete from jobrunner.queue
where not is_set_up and unused_since <= clock_timestamp() - $1::bigint * interval '1 millisecond'
