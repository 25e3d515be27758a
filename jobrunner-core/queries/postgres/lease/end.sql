-- The ends of attempts whose leases are locked. $1 jobs, $2 tokens; $3 to $11 what the attempts
-- came to, $12 the status of the job, 0 if it waits again; $13 how many attempts cost no run; $14
-- after how many milliseconds it may be claimed again; $15 for how many it avoids the host it was
-- on; $16 whether it passed after it had failed; $17 what its command said last; $18 whether it is
-- to run alone, of which $14 is above 0. $19 what its reports came to. Results:
-- $20 jobs, $21 tests, $22 runs, $23 causes, $24 how long they took, $25 hosts, $26 outcomes, $27
-- attempts.
with given as materialized (
    select * from unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::integer[], $5::text[], $6::text[],
                         $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::boolean[],
                         $12::smallint[], $13::bigint[], $14::bigint[], $15::bigint[],
                         $16::boolean[], $17::text[], $18::boolean[], $19::text[])
        as g (job_id, token, status, exit_code, signal, reason, error, duration_ms, stdout_bytes,
              stderr_bytes, truncated, job_status, losses, delay_ms, avoid_ms, flaky, error_line,
              alone, report)
), gone as (
    delete from jobrunner.lease l using given g
    where l.job_id = g.job_id and l.token = g.token
    returning l.*
), history as (
    insert into jobrunner.attempt (job_id, attempt, token, worker_id, started_at, finished_at, status,
                                   exit_code, signal, reason, error, duration_ms, stdout_bytes,
                                   stderr_bytes, truncated, error_line, report)
    select l.job_id, l.attempts, l.token, l.session_id, l.started_at, clock_timestamp(), g.status,
           g.exit_code, g.signal, g.reason, g.error, g.duration_ms, g.stdout_bytes, g.stderr_bytes,
           g.truncated, g.error_line, g.report
    from gone l join given g on g.job_id = l.job_id
), done as (
    insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at, flaky, duration_ms, project)
    select l.job_id, l.owner_id, l.batch_id, g.job_status, clock_timestamp(), g.flaky, g.duration_ms,
           (select project from jobrunner.job where id = l.job_id)
    from gone l join given g on g.job_id = l.job_id
    where g.job_status <> 0
), later as (
    insert into jobrunner.deferred (run_at, job_id, attempts, losses, alone)
    select clock_timestamp() + g.delay_ms * interval '1 millisecond', l.job_id, l.attempts, g.losses,
           g.alone
    from gone l join given g on g.job_id = l.job_id
    where g.job_status = 0 and g.delay_ms > 0
), results as (
    insert into jobrunner.result (test_no, run_no, cause_no, job_id, day, duration_ms, host_no, outcome, attempts)
    select g.test_no, g.run_no, g.cause_no, g.job_id, floor(extract(epoch from clock_timestamp()) / 86400)::integer,
           g.duration_ms, coalesce(h.no, 0), g.outcome, g.attempts
    from unnest($20::uuid[], $21::bigint[], $22::bigint[], $23::bigint[], $24::integer[], $25::text[],
                $26::smallint[], $27::smallint[])
         as g (job_id, test_no, run_no, cause_no, duration_ms, host, outcome, attempts)
    left join jobrunner.host h on h.name = g.host
)
insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses, avoid_host, avoid_until)
select l.lane_id, l.prio, l.job_id, l.attempts, g.losses, case when g.avoid_ms > 0 then l.host end,
       case when g.avoid_ms > 0 then clock_timestamp() + g.avoid_ms * interval '1 millisecond' end
from gone l join given g on g.job_id = l.job_id
where g.job_status = 0 and g.delay_ms = 0
