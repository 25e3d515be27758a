-- $1 lanes, $2 their new virtual times.
update jobrunner.lane l set vtime = v.vtime
from unnest($1::bigint[], $2::float8[]) as v (id, vtime)
where l.id = v.id
