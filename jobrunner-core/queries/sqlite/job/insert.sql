-- A group of jobs. $1 a JSON array of their ids, $2 now, $3 their ids again, 16 bytes each, $4 a
-- JSON array of their specifications, $5 their owners, 16 bytes each, all in the same order; $6
-- batch. Where it is a run: $7 the numbers of their tests, 20 bytes of digits each, $8 that of the
-- run. Those whose lane or queue does not exist are left out. The statements that follow take the
-- same arguments and need the first two.
insert into job (id, owner_id, batch_id, lane_id, spec, name, priority, max_attempts, run_at, created_at,
                 retry, test_no, run_no, project)
select substr($3, 16 * e.key + 1, 16), l.owner_id, $6, l.id, e.value, e.value ->> '$.name',
       e.value ->> '$.priority', e.value ->> '$.max_attempts',
       cast(unixepoch(e.value ->> '$.scheduled_at', 'subsec') * 1000 as integer), $2,
       e.value ->> '$.retry', cast(substr($7, 20 * e.key + 1, 20) as integer), $8, e.value ->> '$.project'
from json_each($4) e
join lane l on l.queue = e.value ->> '$.queue' and l.owner_id = substr($5, 16 * e.key + 1, 16)
join queue q on q.name = l.queue
