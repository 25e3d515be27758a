-- A group of jobs of one owner, claimable now or later. $1 ids, $2 lanes, $3 specifications, $4
-- names, $5 priorities, $6 numbers of attempts, $7 times they are scheduled for; $8 owner, $9
-- batch; $10 what they say about repetitions; $16 their projects. Where it is a run: $11 the
-- numbers of their tests, $12 that of the run, $13 that of its series, $14 what tests are called if
-- not as the job, $15 their variants. One row: when they were stored.
-- Known tests are left to the conflict: looking for them beforehand is planned as a look at all
-- tests of the series for each as long as the table is small.
with given as materialized (
    select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::bigint[],
                         $7::timestamptz[], $10::text[], $11::bigint[], $14::text[], $15::text[], $16::text[])
        as g (id, lane_id, spec, name, priority, max_attempts, run_at, retry, test_no, test, variant, project)
), tests as (
    insert into jobrunner.test (series_no, no, name, variant)
    select $13, g.test_no, coalesce(g.test, g.name), g.variant
    from given g
    where $13::bigint is not null
    order by g.test_no
    on conflict do nothing
), stored as (
    insert into jobrunner.job (id, owner_id, batch_id, lane_id, spec, name, priority, max_attempts, run_at,
                               created_at, retry, test_no, run_no, project)
    select id, $8, $9, lane_id, spec, name, priority, max_attempts, run_at, statement_timestamp(), retry,
           case when $12::bigint is not null then test_no end, $12, project
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
