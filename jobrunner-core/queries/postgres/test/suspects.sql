-- The tests of series $1 that were flaky, new or fixed most often in runs $2; limit $3; $4 name, $5
-- pattern of names, null is any.
select t.no, t.name, t.variant, t.case_name
from (select test_no, sum(case class when 1 then 2 else 1 end) as times
      from jobrunner.notable where run_no = any($2) and class in (1, 2, 3) group by test_no) n
join jobrunner.test t on t.series_no = $1 and t.no = n.test_no
where (t.name = $4 or $4 is null) and (t.name like $5 or t.case_name like $5 or $5 is null)
order by n.times desc, t.no limit $3
