-- Adds differences to the counts. $1 ids in order, $2 to $6 by status, $7 the slot of this process,
-- $8 those that passed after they had failed.
insert into jobrunner.batch_count (batch_id, slot, waiting, running, passed, failed, canceled,
                                   flaky)
select d.id, $7, d.waiting, d.running, d.passed, d.failed, d.canceled, d.flaky
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $8::bigint[])
     with ordinality as d (id, waiting, running, passed, failed, canceled, flaky, place)
order by d.place
on conflict (batch_id, slot) do update
set waiting = batch_count.waiting + excluded.waiting, running = batch_count.running + excluded.running,
    passed = batch_count.passed + excluded.passed, failed = batch_count.failed + excluded.failed,
    canceled = batch_count.canceled + excluded.canceled, flaky = batch_count.flaky + excluded.flaky
