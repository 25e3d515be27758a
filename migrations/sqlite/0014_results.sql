-- What became of the tests of a series from run to run. Results outlive the jobs that they are of.

-- Runs of the same tests, one after the other.
create table series (
    no         integer primary key,
    id         blob    not null unique,
    owner_id   blob    not null,
    name       text    not null,
    created_at integer not null,
    unique (owner_id, name)
);

-- A batch as a run of its series. Numbers grow from run to run of a series.
create table run (
    no              integer primary key autoincrement,
    batch_id        blob    not null unique,
    series_no       integer not null,
    -- The run whose tests it repeats: then it is none of those that later ones are compared with.
    repeats         integer,
    branch          text    not null default '',
    sha             text,
    dirty           integer not null default 0,
    url             text,
    has_revision    integer not null default 0,
    gate            text    not null,
    baseline_branch text,
    baseline_run    integer,
    created_at      integer not null,
    -- The same in days since 1970 UTC: no result of it is older.
    day             integer not null,
    -- How many tests are of each class, as JSON, once the batch has ended.
    verdict         text
);
create index run_of_series on run (series_no, no);
create index run_of_branch on run (series_no, branch, no) where repeats is null;

-- A test of a series. Its number is made of its name, its variant and its case, so that nobody has
-- to look it up, and it is the same in every series.
create table test (
    series_no integer not null,
    no        integer not null,
    -- Of a case: the test whose report it is in.
    parent_no integer,
    name      text    not null,
    -- As JSON; null is none.
    variant   text,
    case_name text,
    primary key (series_no, no)
) without rowid;

-- What makes failures alike. Its number is made of the rest.
create table cause (
    no         integer primary key,
    reason     text,
    exit_code  integer,
    signal     text,
    error_line text
);

create table host (
    no   integer primary key,
    name text not null unique
);
insert into host (name) select distinct host from worker_host;

-- What became of a test in a run. Never changed.
create table result (
    test_no     integer not null,
    run_no      integer not null,
    -- 0 is none.
    cause_no    integer not null,
    job_id      blob    not null,
    -- In which it ended, in days since 1970 UTC.
    day         integer not null,
    duration_ms integer not null,
    -- 0 is none.
    host_no     integer not null,
    -- 0 passed, 1 skipped, 2 passed after it had failed, 3 not run, 4 failed by its host, 5 failed.
    outcome     integer not null,
    attempts    integer not null
);
create index result_of_test on result (test_no, run_no);
create index result_of_run on result (run_no);

-- The tests of an ended run that are more than passed, by their classes, each in the order of their
-- names. What is not here has passed.
create table notable (
    run_no    integer not null,
    class     integer not null,
    place     integer not null,
    test_no   integer not null,
    job_id    blob,
    -- From which run on it has failed, in how many runs, and which was the last that it passed.
    since_run integer,
    runs      integer not null,
    good_run  integer,
    cause_no  integer not null,
    issue_id  blob,
    primary key (run_no, class, place)
) without rowid;

-- Which test of which run a job is.
alter table job add column test_no integer;
alter table job add column run_no integer;
