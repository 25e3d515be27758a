-- Specifications of members to repeat, in their order.
-- $2 is true for all, false for those that failed or were canceled; $3 after this id; $4 limit.
select id, spec
from job
where batch_id = $1 and ($2 or status in (3, 4)) and id > $3
order by id limit $4
