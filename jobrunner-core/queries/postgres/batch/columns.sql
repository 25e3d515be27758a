-- The batches of a page, in its order.
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of, b.created_at, b.status, b.started_at,
       b.finished_at, b.waiting, b.running, b.passed, b.failed, b.canceled, b.flaky, b.skipped,
       s.id as series_id, s.name as series, r.gate, r.has_revision, r.sha, r.branch, r.dirty, r.url, r.verdict,
       (select project from jobrunner.batch where id = p.id) as project
from unnest(array(select id from page)) with ordinality as p (id, place)
join jobrunner.batch_view b on b.id = p.id
left join jobrunner.run r on r.batch_id = b.id
left join jobrunner.series s on s.no = r.series_no
order by p.place
