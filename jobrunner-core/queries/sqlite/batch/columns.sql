-- The batches of a page, in its order.
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of, b.created_at, b.status, b.started_at,
       b.finished_at, b.waiting, b.running, b.passed, b.failed, b.canceled, b.flaky, b.skipped,
       s.id as series_id, s.name as series, r.gate, r.has_revision, r.sha, r.branch, r.dirty, r.url, r.verdict,
       (select project from batch where id = p.id) as project
from (select id, row_number() over () as place from page) p
cross join batch_view b
left join run r on r.batch_id = b.id
left join series s on s.no = r.series_no
where b.id = p.id
order by p.place
