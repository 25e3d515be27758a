-- Batches of exactly one name, newest first. ?1 owner, ?2 status code: null is any. ?3 name, ?4 before this id, ?5 limit.
select id, owner_id, name, description, payload, rerun_of, created_at, status, started_at, finished_at,
       waiting, running, passed, failed, canceled, flaky
from batch_view
where name = ?3 and (?1 is null or owner_id = ?1) and (?2 is null or status = ?2) and id < ?4
order by id desc limit ?5
