-- What is to be told of the tests of run $1 beside that they passed, and how many tests it has: a
-- row at least. It began on day $2. $3 a JSON array of the runs that it is compared with, the
-- oldest first; the first of them began on day $4. What is told by its cases (-1) is none of them.
with here as materialized (
    select test_no, job_id, max(outcome) as outcome, cause_no, duration_ms
    from result where run_no = $1 and day >= $2 and cause_no <> -1 group by test_no
), told as (
    -- The row of its own last result that says something.
    select h.*,
           (select r.rowid from result r
            where r.test_no = h.test_no and r.run_no >= $3 ->> '$[0]' and r.run_no <= $3 ->> '$[#-1]'
              and +r.run_no in (select value from json_each($3)) and r.day >= $4 and r.outcome in (0, 2, 5)
            order by r.run_no desc, r.outcome desc limit 1) as before_row,
           case when h.outcome = 0 and h.duration_ms >= 1000 then (
               select min(d.duration_ms)
               from (select r.duration_ms, row_number() over (order by r.duration_ms) as place,
                            count(*) over () as n
                     from result r
                     where r.test_no = h.test_no and r.run_no >= $3 ->> '$[0]' and r.run_no <= $3 ->> '$[#-1]'
                       and +r.run_no in (select value from json_each($3)) and r.day >= $4
                       and r.outcome = 0) d
               where d.place * 10 >= d.n * 9) end as p90
    from here h
), noted as materialized (
    select o.test_no, o.job_id, o.outcome, o.cause_no, b.outcome as before,
           ifnull(o.duration_ms >= 2 * o.p90 and o.duration_ms >= o.p90 + 1000, 0) as is_slower,
           case when o.outcome = 5 then (
               select max(r.run_no) from result r
               where r.test_no = o.test_no and r.run_no >= $3 ->> '$[0]' and r.run_no <= $3 ->> '$[#-1]'
                 and +r.run_no in (select value from json_each($3)) and r.day >= $4
                 and r.outcome in (0, 2)) end as good_run
    from told o left join result b on b.rowid = o.before_row
    where o.outcome >= 2
       or (o.outcome = 0
           and (b.outcome = 5 or (o.duration_ms >= 2 * o.p90 and o.duration_ms >= o.p90 + 1000)))
)
select n.test_no, n.job_id, n.outcome, n.cause_no, n.before, ifnull(n.is_slower, 0) as is_slower,
       -- Since it passed: whether it failed for the same cause, from which run on, and in how many.
       (select max(r.cause_no = n.cause_no) from result r
        where n.outcome = 5 and r.test_no = n.test_no and r.run_no >= $3 ->> '$[0]' and r.run_no <= $3 ->> '$[#-1]'
          and r.run_no > ifnull(n.good_run, 0) and +r.run_no in (select value from json_each($3))
          and r.day >= $4 and r.outcome = 5) as is_alike,
       n.good_run,
       (select min(r.run_no) from result r
        where n.outcome = 5 and r.test_no = n.test_no and r.run_no >= $3 ->> '$[0]' and r.run_no <= $3 ->> '$[#-1]'
          and r.run_no > ifnull(n.good_run, 0) and +r.run_no in (select value from json_each($3))
          and r.day >= $4 and r.outcome = 5) as since_run,
       (select count(distinct r.run_no) from result r
        where n.outcome = 5 and r.test_no = n.test_no and r.run_no >= $3 ->> '$[0]' and r.run_no <= $3 ->> '$[#-1]'
          and r.run_no > ifnull(n.good_run, 0) and +r.run_no in (select value from json_each($3))
          and r.day >= $4 and r.outcome = 5) as runs,
       t.name, t.variant, t.case_name, c.error_line, all_of.tests
from (select count(*) as tests from here) all_of
left join noted n on true
left join run of_run on of_run.no = $1
left join test t on t.series_no = of_run.series_no and t.no = n.test_no
left join cause c on c.no = n.cause_no
