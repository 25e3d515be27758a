-- The results of a page, those of a test together, newest first.
select p.test_no, p.run_no, cast(p.outcome as bigint) as outcome, p.job_id,
       cast(p.duration_ms as bigint) as duration_ms, cast(p.attempts as bigint) as attempts, h.name as host,
       p.cause_no, c.reason, c.exit_code, c.signal, c.error_line
from page p
left join jobrunner.cause c on c.no = p.cause_no
left join jobrunner.host h on h.no = p.host_no
order by p.test_no, p.run_no desc, p.outcome desc, p.job_id
