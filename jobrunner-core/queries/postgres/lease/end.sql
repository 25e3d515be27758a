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
    -- With all that was given of it, so that nothing below looks for that again: without an index,
    -- it would look through the whole group for each of them.
    delete from jobrunner.lease l using given g
    where l.job_id = g.job_id and l.token = g.token
    returning l.session_id, l.owner_id, l.batch_id, l.lane_id, l.prio, l.attempts, l.started_at, l.host, g.*
), history as (
    insert into jobrunner.attempt (job_id, attempt, token, worker_id, started_at, finished_at, status,
                                   exit_code, signal, reason, error, duration_ms, stdout_bytes,
                                   stderr_bytes, truncated, error_line, report)
    select job_id, attempts, token, session_id, started_at, clock_timestamp(), status, exit_code, signal, reason,
           error, duration_ms, stdout_bytes, stderr_bytes, truncated, error_line, report
    from gone
), done as (
    insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at, flaky, duration_ms, project)
    select job_id, owner_id, batch_id, job_status, clock_timestamp(), flaky, duration_ms,
           (select project from jobrunner.job where id = gone.job_id)
    from gone where job_status <> 0
), later as (
    insert into jobrunner.deferred (run_at, job_id, attempts, losses, alone)
    select clock_timestamp() + delay_ms * interval '1 millisecond', job_id, attempts, losses, alone
    from gone where job_status = 0 and delay_ms > 0
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
select lane_id, prio, job_id, attempts, losses, case when avoid_ms > 0 then host end,
       case when avoid_ms > 0 then clock_timestamp() + avoid_ms * interval '1 millisecond' end
from gone where job_status = 0 and delay_ms = 0
