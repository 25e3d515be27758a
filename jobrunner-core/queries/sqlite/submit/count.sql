-- Counts a group of fresh single jobs: those of $1, a JSON array of ids, that were stored.
insert into owner_count (owner_id, waiting, running, passed, failed, canceled)
select j.owner_id, count(*), 0, 0, 0, 0
from json_each($1) e join job j on j.id = unhex(e.value)
group by j.owner_id
on conflict (owner_id) do update set waiting = waiting + excluded.waiting
