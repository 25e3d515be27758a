-- The jobs of a page, in its order.
select j.id, j.owner_id, j.batch_id, j.spec, j.created_at, j.finished_at, j.status, j.attempt, j.started_at,
       j.last_attempt, j.worker_id, j.exit_code, j.signal, j.reason, j.error, j.duration_ms, j.stdout_bytes,
       j.stderr_bytes, j.truncated, j.flaky, j.report
from (select id, row_number() over () as place from page) p
cross join job_view j
where j.id = p.id
order by p.place
