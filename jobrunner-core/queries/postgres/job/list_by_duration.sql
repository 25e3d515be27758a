-- The members of a batch by how long they ran, or have been running; those without a start come last. All of them
-- are looked at.
-- $1 owner, $2 batch, $3 status code, $4 queue, $5 name pattern, $8 reason: null is any. $6 after this member, null
-- is from the first on, $7 limit. $9 is 1 for the shortest first and -1 for the longest.
with found as (
    select array(
        select id from jobrunner.member_view
        where batch_id = $2 and ($1::uuid is null or owner_id = $1)
          and ($3::bigint is null or status = $3)
          and ($4::text is null or lane_id in (select id from jobrunner.lane where queue = $4))
          and ($5::text is null or name like $5) and ($8::text is null or reason = $8)
          and ($6::uuid is null
               or (coalesce($9::bigint * ran_ms, 9223372036854775807), id) > (
                   select coalesce($9::bigint * ran_ms, 9223372036854775807), id
                   from jobrunner.member_view where id = $6))
        order by coalesce($9::bigint * ran_ms, 9223372036854775807) asc, id asc limit $7) as ids)
select id, owner_id, batch_id, spec, created_at, finished_at, status, attempt, started_at,
       last_attempt, worker_id, exit_code, signal, reason, error, duration_ms, stdout_bytes,
       stderr_bytes, truncated, flaky
from jobrunner.job_view
where id = any((select ids from found)::uuid[])
order by array_position((select ids from found), id)
