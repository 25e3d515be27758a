-- Queues that have had no open job since $1.
delete from queue where not is_set_up and unused_since <= $1
