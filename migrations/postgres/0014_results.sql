-- What became of the tests of a series from run to run. Results outlive the jobs that they are of;
-- they go month by month, by dropping partitions.

-- Runs of the same tests, one after the other.
create table jobrunner.series (
    no         bigint generated always as identity primary key,
    id         uuid        not null unique,
    owner_id   uuid        not null,
    name       text        not null,
    created_at timestamptz not null,
    unique (owner_id, name)
);

-- A batch as a run of its series. Numbers grow from run to run of a series.
create table jobrunner.run (
    no              bigint generated always as identity primary key,
    batch_id        uuid        not null unique,
    series_no       bigint      not null,
    -- The run whose tests it repeats: then it is none of those that later ones are compared with.
    repeats         bigint,
    branch          text        not null default '',
    sha             text,
    dirty           boolean     not null default false,
    url             text,
    has_revision    boolean     not null default false,
    gate            text        not null,
    baseline_branch text,
    baseline_run    bigint,
    created_at      timestamptz not null,
    -- The same in days since 1970 UTC: no result of it is older.
    day             integer     not null,
    -- How many tests are of each class, as JSON, once the batch has ended.
    verdict         text
);
create index run_of_series on jobrunner.run (series_no, no);
create index run_of_branch on jobrunner.run (series_no, branch, no) where repeats is null;

-- A test of a series. Its number is made of its name, its variant and its case, so that nobody has
-- to look it up, and it is the same in every series.
create table jobrunner.test (
    series_no bigint not null,
    no        bigint not null,
    -- Of a case: the test whose report it is in.
    parent_no bigint,
    name      text   not null,
    -- As JSON; null is none.
    variant   text,
    case_name text,
    primary key (series_no, no)
);

-- What makes failures alike. Its number is made of the rest.
create table jobrunner.cause (
    no         bigint not null primary key,
    reason     text,
    exit_code  integer,
    signal     text,
    error_line text
);

create table jobrunner.host (
    no   integer generated always as identity primary key,
    name text not null unique
);
insert into jobrunner.host (name) select distinct host from jobrunner.worker_host;

-- What became of a test in a run. Never changed. Wide columns first, so that none is padded.
create table jobrunner.result (
    test_no     bigint   not null,
    run_no      bigint   not null,
    -- 0 is none.
    cause_no    bigint   not null,
    job_id      uuid     not null,
    -- In which it ended, in days since 1970 UTC.
    day         integer  not null,
    duration_ms integer  not null,
    -- 0 is none.
    host_no     integer  not null,
    -- 0 passed, 1 skipped, 2 passed after it had failed, 3 not run, 4 failed by its host, 5 failed.
    outcome     smallint not null,
    attempts    smallint not null
) partition by range (day);
create index result_of_test on jobrunner.result (test_no, run_no);
create index result_of_run on jobrunner.result (run_no);
-- What belongs into a month that was not made ahead.
create table jobrunner.result_other partition of jobrunner.result default;

-- Makes the partitions of a month and of so many after it, those that are not there yet. What is in
-- the other partition of such a month is carried over.
create function jobrunner.make_months(of_day integer, ahead integer) returns void language plpgsql as $$
declare
    month date;
    name  text;
    first integer;
    last  integer;
begin
    for n in 0..ahead loop
        month := (date_trunc('month', date '1970-01-01' + of_day) + n * interval '1 month')::date;
        name := 'result_' || to_char(month, 'YYYY_MM');
        continue when to_regclass('jobrunner.' || name) is not null;
        -- One of all who do so at once.
        perform pg_advisory_xact_lock(1785098867, 0);
        continue when to_regclass('jobrunner.' || name) is not null;
        first := month - date '1970-01-01';
        last := (month + interval '1 month')::date - date '1970-01-01';
        execute format('create table jobrunner.%I (like jobrunner.result including all)', name);
        execute format('with moved as (delete from jobrunner.result_other where day >= %s and day < %s '
                       'returning *) insert into jobrunner.%I select * from moved', first, last, name);
        execute format('alter table jobrunner.result attach partition jobrunner.%I '
                       'for values from (%s) to (%s)', name, first, last);
    end loop;
end $$;
select jobrunner.make_months((current_date - date '1970-01-01')::integer, 2);

-- The tests of an ended run that are more than passed, by their classes, each in the order of their
-- names. What is not here has passed.
create table jobrunner.notable (
    run_no    bigint   not null,
    class     smallint not null,
    place     bigint   not null,
    test_no   bigint   not null,
    job_id    uuid,
    -- From which run on it has failed, in how many runs, and which was the last that it passed.
    since_run bigint,
    runs      integer  not null,
    good_run  bigint,
    cause_no  bigint   not null,
    issue_id  uuid,
    primary key (run_no, class, place)
);

-- Which test of which run a job is.
alter table jobrunner.job add column test_no bigint;
alter table jobrunner.job add column run_no bigint;

-- Drops the partitions of months that ended on a day or before it, and deletes what is as old and
-- was carried over into none; answers how many partitions that were.
create function jobrunner.forget_months(until integer) returns bigint language plpgsql as $$
declare
    found record;
    dropped bigint := 0;
begin
    for found in
        select c.relname as name
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'jobrunner.result'::regclass and c.relname ~ '^result_\d{4}_\d{2}$'
          and (to_date(substr(c.relname, 8), 'YYYY_MM') + interval '1 month')::date - date '1970-01-01' <= until
        order by 1
    loop
        execute format('drop table jobrunner.%I', found.name);
        dropped := dropped + 1;
    end loop;
    delete from jobrunner.result_other
    where day < (date_trunc('month', date '1970-01-01' + until))::date - date '1970-01-01';
    return dropped;
end $$;
