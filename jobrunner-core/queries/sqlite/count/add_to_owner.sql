insert into owner_count (owner_id, waiting, running, passed, failed, canceled)
values ($1, $2, $3, $4, $5, $6)
on conflict (owner_id) do update
set waiting = waiting + excluded.waiting, running = running + excluded.running,
    passed = passed + excluded.passed, failed = failed + excluded.failed,
    canceled = canceled + excluded.canceled
