-- Specifications of members to repeat, in their order.
-- $2 is true for all, false for those that failed or were canceled; $3 after this id; $4 limit.
select j.id, j.spec
from jobrunner.job j
where j.batch_id = $1 and j.id > $3
  and ($2 or exists (select from jobrunner.ended e where e.job_id = j.id and e.status in (3, 4)))
order by j.id limit $4
