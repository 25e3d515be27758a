-- A group of jobs of one owner. ?1 their ids, 16 bytes each, ?2 a JSON array of their specifications in
-- the same order, ?3 owner, ?4 batch, ?5 now. Their lanes exist.
insert into job (id, owner_id, batch_id, lane_id, spec, name, priority, max_attempts, run_at, created_at,
                 retry)
select substr(?1, 16 * e.key + 1, 16), ?3, ?4, l.id, e.value, e.value ->> '$.name',
       e.value ->> '$.priority', e.value ->> '$.max_attempts',
       cast(unixepoch(e.value ->> '$.scheduled_at', 'subsec') * 1000 as integer), ?5,
       e.value ->> '$.retry'
from json_each(?2) e
join lane l on l.queue = e.value ->> '$.queue' and l.owner_id = ?3
