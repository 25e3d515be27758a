-- What is to be told of the tests of run $1 beside that they passed, and how many tests it has: a
-- row at least. It began on day $2. $3 the runs that it is compared with, the oldest first; the
-- first of them began on day $4. What is told by its cases (-1) is none of them.
with here as materialized (
    select distinct on (test_no) test_no, job_id, outcome, cause_no, duration_ms
    from jobrunner.result where run_no = $1 and day >= $2 and cause_no <> -1
    order by test_no, outcome desc, job_id
), told as (
    select h.test_no, h.job_id, h.outcome, h.cause_no, b.outcome as before,
           coalesce(h.duration_ms >= 2 * p.p90 and h.duration_ms >= p.p90 + 1000, false) as is_slower
    from here h
    -- Its own last result that says something. The sum keeps the list of runs out of what the index
    -- is asked for, which would be asked once for each of them.
    left join lateral (
        select r.outcome from jobrunner.result r
        where r.test_no = h.test_no and r.run_no >= ($3::bigint[])[1] and r.run_no <= ($3::bigint[])[cardinality($3)]
          and r.run_no + 0 = any($3) and r.day >= $4 and r.outcome in (0, 2, 5)
        order by r.run_no desc, r.outcome desc limit 1) b on true
    left join lateral (
        select min(d.duration_ms)::bigint as p90
        from (select r.duration_ms, row_number() over (order by r.duration_ms) as place, count(*) over () as n
              from jobrunner.result r
              where h.outcome = 0 and h.duration_ms >= 1000
                and r.test_no = h.test_no and r.run_no >= ($3::bigint[])[1] and r.run_no <= ($3::bigint[])[cardinality($3)]
                and r.run_no + 0 = any($3) and r.day >= $4 and r.outcome = 0) d
        where d.place * 10 >= d.n * 9) p on true
), noted as (
    select * from told where outcome >= 2 or (outcome = 0 and (before = 5 or is_slower))
)
select n.test_no, n.job_id, n.outcome::bigint as outcome, n.cause_no, n.before::bigint as before, s.is_alike,
       n.is_slower, g.good_run, s.since_run, coalesce(s.runs, 0) as runs, t.name, t.variant, t.case_name,
       c.error_line, all_of.tests
from (select count(*) as tests from here) all_of
left join noted n on true
left join lateral (
    select max(r.run_no) as good_run from jobrunner.result r
    where n.outcome = 5 and r.test_no = n.test_no and r.run_no >= ($3::bigint[])[1] and r.run_no <= ($3::bigint[])[cardinality($3)]
      and r.run_no + 0 = any($3) and r.day >= $4 and r.outcome in (0, 2)) g on true
left join lateral (
    -- Since it passed: in which runs it failed, and whether for the same cause.
    select min(r.run_no) as since_run, count(distinct r.run_no) as runs, bool_or(r.cause_no = n.cause_no) as is_alike
    from jobrunner.result r
    where n.outcome = 5 and r.test_no = n.test_no and r.run_no >= ($3::bigint[])[1] and r.run_no <= ($3::bigint[])[cardinality($3)]
      and r.run_no > coalesce(g.good_run, 0) and r.run_no + 0 = any($3) and r.day >= $4
      and r.outcome = 5) s on true
left join jobrunner.run of_run on of_run.no = $1
left join jobrunner.test t on t.series_no = of_run.series_no and t.no = n.test_no
left join jobrunner.cause c on c.no = n.cause_no
