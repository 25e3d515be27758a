-- The tests of series $1 that have a result in runs $2, the oldest first, of which the first began
-- on day $3. First those that were of classes $4 in one of them, or have outcome $5 in one that
-- goes on, by the last such run; $6 whether only those. $7 their last outcome, $8 name, $9 pattern
-- of names, null is any; behind test $11, which was in run $10 so, 0 being none; limit $12. The
-- order of bytes is the fastest, and the same in every database.
-- What cases stand for (cause -1) is left out, here and in the statements beside this.
with troubled as materialized (
    select test_no, max(run_no) as run_no
    from (select test_no, run_no from jobrunner.notable where run_no = any($2) and class = any($4::bigint[]::smallint[])
          union all
          select r.test_no, r.run_no
          from jobrunner.run o join jobrunner.result r on r.run_no = o.no and r.day >= o.day
          where o.no = any($2) and o.verdict is null and r.outcome = $5::bigint) found
    group by test_no
), page as (
    select s.*, l.run_no, l.outcome, l.job_id, l.duration_ms, l.cause_no
    from (select t.no, t.name, t.variant, t.case_name, coalesce(x.run_no, 0) as failed_in
          from jobrunner.test t
          left join troubled x on x.test_no = t.no
          where t.series_no = $1 and (x.test_no is not null or not $6)
            and (t.name = $8 or $8 is null) and (t.name like $9 or t.case_name like $9 or $9 is null)
            and ($11::bigint is null or coalesce(x.run_no, 0) < $10
                 or (coalesce(x.run_no, 0) = $10 and (t.name collate "C", coalesce(t.variant, '') collate "C", coalesce(t.case_name, '') collate "C", t.no) >
                     (select c.name collate "C", coalesce(c.variant, '') collate "C", coalesce(c.case_name, '') collate "C", c.no
                      from jobrunner.test c where c.series_no = $1 and c.no = $11)))
          order by failed_in desc, t.name collate "C", coalesce(t.variant, '') collate "C", coalesce(t.case_name, '') collate "C", t.no offset 0) s
    cross join lateral (
        select r.run_no, r.outcome, r.job_id, r.duration_ms, r.cause_no
        from jobrunner.result r
        where r.test_no = s.no and r.run_no >= ($2::bigint[])[1] and r.run_no <= ($2::bigint[])[cardinality($2)]
          and r.run_no + 0 = any($2) and r.day >= $3 and r.cause_no <> -1
        order by r.run_no desc, r.outcome desc, r.job_id limit 1) l
    where l.outcome = $7::bigint or $7 is null
    order by s.failed_in desc, s.name collate "C", coalesce(s.variant, '') collate "C", coalesce(s.case_name, '') collate "C", s.no limit $12
)
select p.no, p.name, p.variant, p.case_name, p.failed_in, p.run_no, u.batch_id, p.outcome::bigint as outcome,
       p.job_id, p.duration_ms::bigint as duration_ms, p.cause_no, c.reason, c.exit_code, c.signal, c.error_line
from page p
join jobrunner.run u on u.no = p.run_no
left join jobrunner.cause c on c.no = p.cause_no
order by p.failed_in desc, p.name collate "C", coalesce(p.variant, '') collate "C", coalesce(p.case_name, '') collate "C", p.no
