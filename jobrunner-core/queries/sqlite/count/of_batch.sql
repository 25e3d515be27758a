-- Adds what changed and answers how the batch stands then.
update batch_count
set waiting = waiting + ?2, running = running + ?3, passed = passed + ?4, failed = failed + ?5,
    canceled = canceled + ?6, flaky = flaky + ?7
where batch_id = ?1
returning waiting, running, passed, failed, canceled
