-- The tests of series $1 that have a result in runs $2, a JSON array, the oldest first, of which
-- the first began on day $3. First those that were of classes $4 in one of them, or have outcome $5
-- in one that goes on, by the last such run; $6 whether only those. $7 their last outcome, $8 name,
-- $9 pattern of names, null is any; behind test $11, which was in run $10 so, 0 being none; limit
-- $12.
-- What cases stand for (cause -1) is left out, here and in the statements beside this.
with troubled as materialized (
    select test_no, max(run_no) as run_no
    from (select test_no, run_no from notable
          where run_no in (select value from json_each($2)) and class in (select value from json_each($4))
          union all
          select r.test_no, r.run_no
          from run o cross join result r on r.run_no = o.no and r.day >= o.day
          where o.no in (select value from json_each($2)) and o.verdict is null and r.outcome = $5) found
    group by test_no
), sorted as materialized (
    select t.no, t.name, t.variant, t.case_name, ifnull(x.run_no, 0) as failed_in
    from test t
    left join troubled x on x.test_no = t.no
    where t.series_no = $1 and (x.test_no is not null or not $6)
      and (t.name = $8 or $8 is null) and (t.name glob $9 or t.case_name glob $9 or $9 is null)
      and ($11 is null or ifnull(x.run_no, 0) < $10
           or (ifnull(x.run_no, 0) = $10 and (t.name, ifnull(t.variant, ''), ifnull(t.case_name, ''), t.no) >
               (select c.name, ifnull(c.variant, ''), ifnull(c.case_name, ''), c.no from test c where c.series_no = $1 and c.no = $11)))
    order by failed_in desc, t.name, ifnull(t.variant, ''), ifnull(t.case_name, ''), t.no
), page as materialized (
    -- In the order in which it reads them, so that it looks for no more results than are asked for.
    select s.*, l.run_no, l.outcome, l.job_id, l.duration_ms, l.cause_no
    from sorted s
    cross join result l on l.rowid = (
        select r.rowid from result r
        where r.test_no = s.no and r.run_no >= $2 ->> '$[0]' and r.run_no <= $2 ->> '$[#-1]'
          and +r.run_no in (select value from json_each($2)) and r.day >= $3 and r.cause_no <> -1
        order by r.run_no desc, r.outcome desc, r.job_id limit 1)
    where l.outcome = $7 or $7 is null
    limit $12
)
select p.no, p.name, p.variant, p.case_name, p.failed_in, p.run_no, u.batch_id, p.outcome, p.job_id, p.duration_ms,
       p.cause_no, c.reason, c.exit_code, c.signal, c.error_line
from page p
join run u on u.no = p.run_no
left join cause c on c.no = p.cause_no
order by p.failed_in desc, p.name, ifnull(p.variant, ''), ifnull(p.case_name, ''), p.no
