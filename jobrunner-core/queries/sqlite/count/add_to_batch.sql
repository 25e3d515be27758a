-- Adds what changed and returns how the batch stands then.
insert into batch_count (batch_id, waiting, running, passed, failed, canceled, flaky, skipped)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (batch_id) do update
set waiting = waiting + excluded.waiting, running = running + excluded.running,
    passed = passed + excluded.passed, failed = failed + excluded.failed,
    canceled = canceled + excluded.canceled, flaky = flaky + excluded.flaky,
    skipped = skipped + excluded.skipped
returning waiting, running, passed, failed, canceled
