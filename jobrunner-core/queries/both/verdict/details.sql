-- What is told of the tests of a page. $5 is the series.
select p.place, p.test_no, t.series_no, t.name, t.variant, t.case_name, p.job_id, s.batch_id as since_batch, p.runs,
       g.batch_id as good_batch, g.has_revision as good_has_revision, g.sha as good_sha, g.branch as good_branch,
       g.dirty as good_dirty, g.url as good_url, p.cause_no, c.reason, c.exit_code, c.signal, c.error_line,
       p.issue_id
from page p
left join jobrunner.run s on s.no = p.since_run
left join jobrunner.run g on g.no = p.good_run
-- What is missing is a test of the series that it was in.
left join jobrunner.test t on t.series_no = case when p.job_id is null and g.no is not null then g.series_no else $5 end
                          and t.no = p.test_no
left join jobrunner.cause c on c.no = p.cause_no
order by p.place
