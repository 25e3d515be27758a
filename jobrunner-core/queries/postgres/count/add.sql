-- Adds differences to the counts, of batches before owners, and begins the batches whose first job
-- was started. $1 batches in order, $2 to $6 by status, $7 those that passed after they had failed,
-- $8 those that were skipped; $9 owners in order, $10 to $14 by status; $15 the slot of this
-- process; $16 batches with a job that was started.
with owners as (
    insert into jobrunner.owner_count (owner_id, slot, waiting, running, passed, failed, canceled)
    select d.id, $15, d.waiting, d.running, d.passed, d.failed, d.canceled
    from unnest($9::uuid[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
         with ordinality as d (id, waiting, running, passed, failed, canceled, place)
    order by d.place
    on conflict (owner_id, slot) do update
    set waiting = owner_count.waiting + excluded.waiting, running = owner_count.running + excluded.running,
        passed = owner_count.passed + excluded.passed, failed = owner_count.failed + excluded.failed,
        canceled = owner_count.canceled + excluded.canceled
), begun as (
    update jobrunner.batch set status = 1, started_at = clock_timestamp()
    where id = any($16) and started_at is null
)
insert into jobrunner.batch_count (batch_id, slot, waiting, running, passed, failed, canceled, flaky, skipped)
select d.id, $15, d.waiting, d.running, d.passed, d.failed, d.canceled, d.flaky, d.skipped
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[])
     with ordinality as d (id, waiting, running, passed, failed, canceled, flaky, skipped, place)
order by d.place
on conflict (batch_id, slot) do update
set waiting = batch_count.waiting + excluded.waiting, running = batch_count.running + excluded.running,
    passed = batch_count.passed + excluded.passed, failed = batch_count.failed + excluded.failed,
    canceled = batch_count.canceled + excluded.canceled, flaky = batch_count.flaky + excluded.flaky,
    skipped = batch_count.skipped + excluded.skipped
