-- As claim/advance, for lanes that are not locked: $2 is what their virtual times grow by. Locked
-- in order, so that two of these cannot wait for each other.
with held as (
    select id from jobrunner.lane where id = any($1) order by id for update
)
update jobrunner.lane l set vtime = l.vtime + v.steps
from unnest($1::bigint[], $2::float8[]) as v (id, steps)
where l.id = v.id and l.id in (select id from held)
