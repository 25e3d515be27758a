insert into batch_count (batch_id, waiting, running, passed, failed, canceled)
values (?1, 0, 0, 0, 0, 0)
