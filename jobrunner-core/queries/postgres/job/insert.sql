-- A group of jobs of one owner, claimable now or later. $1 ids, $2 lanes, $3 specifications, $4
-- names, $5 priorities, $6 numbers of attempts, $7 times they are scheduled for; $8 owner, $9
-- batch; $10 what they say about repetitions; $11 projects. One row: when they were stored.
with given as materialized (
    select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::bigint[],
                         $7::timestamptz[], $10::text[], $11::text[])
        as g (id, lane_id, spec, name, priority, max_attempts, run_at, retry, project)
), stored as (
    insert into jobrunner.job (id, owner_id, batch_id, lane_id, spec, name, priority, max_attempts, run_at,
                               created_at, retry, project)
    select id, $8, $9, lane_id, spec, name, priority, max_attempts, run_at, statement_timestamp(), retry,
           project
    from given
), later as (
    insert into jobrunner.deferred (run_at, job_id, attempts, losses)
    select run_at, id, 0, 0 from given where run_at > statement_timestamp()
), now as (
    insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
    select lane_id, 10 - priority, id, 0, 0 from given
    where run_at is null or run_at <= statement_timestamp()
)
select jobrunner.ms(statement_timestamp())
