-- Moves the virtual times of owners on that are not locked: $2 is what they grow by. Locked in
-- order, so that two of these cannot wait for each other.
with held as (
    select id from jobrunner.turn where id = any($1) order by id for update
)
update jobrunner.turn t set vtime = t.vtime + v.steps
from unnest($1::uuid[], $2::float8[]) as v (id, steps)
where t.id = v.id and t.id in (select id from held)
