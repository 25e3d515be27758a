-- Specifications of members to repeat, in their order, without the time they were meant for.
-- ?2 is 1 for all, 0 for those that failed or were canceled; ?3 after this id; ?4 limit.
select id, json_set(spec, '$.scheduled_at', null) as spec
from job
where batch_id = ?1 and (?2 or status in (3, 4)) and id > ?3
order by id limit ?4
