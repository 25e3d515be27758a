-- The jobs of an owner, newest first.
-- One branch per stored status, so that each walks an index backwards and stops at the limit.
-- ?1 owner, ?2 batch, ?3 status code, ?4 queue, ?5 name pattern: null is any. ?6 before this id, ?7 limit;
-- ?8 reason, null is any.
select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from job_view
where id in (
    select id from (
    select id from (
        select id from job
        where owner_id = ?1 and status = 0 and (?3 is null or ?3 = 0)
          and (?3 is null or id not in (select job_id from lease where started_at is not null))
          and (?4 is null or spec ->> '$.queue' = ?4) and (?5 is null or name glob ?5)
          and (?1 is null or owner_id = ?1) and id < ?6
        order by id desc limit ?7)
        union all
    select id from (
        select id from job
        where owner_id = ?1 and status = 2 and (?3 is null or ?3 = 2)
          and (?4 is null or spec ->> '$.queue' = ?4) and (?5 is null or name glob ?5)
          and (?1 is null or owner_id = ?1) and id < ?6
        order by id desc limit ?7)
        union all
    select id from (
        select id from job
        where owner_id = ?1 and status = 3 and (?3 is null or ?3 = 3)
          and (?8 is null or ?8 = (select reason from attempt where job_id = job.id
                                   order by attempt desc limit 1))
          and (?4 is null or spec ->> '$.queue' = ?4) and (?5 is null or name glob ?5)
          and (?1 is null or owner_id = ?1) and id < ?6
        order by id desc limit ?7)
        union all
    select id from (
        select id from job
        where owner_id = ?1 and status = 4 and (?3 is null or ?3 = 4)
          and (?8 is null or ?8 = (select reason from attempt where job_id = job.id
                                   order by attempt desc limit 1))
          and (?4 is null or spec ->> '$.queue' = ?4) and (?5 is null or name glob ?5)
          and (?1 is null or owner_id = ?1) and id < ?6
        order by id desc limit ?7)
    ) order by id desc limit ?7)
order by id desc
