-- The batches of a page, in its order.
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of, b.created_at, b.status, b.started_at,
       b.finished_at, b.waiting, b.running, b.passed, b.failed, b.canceled, b.flaky, b.skipped,
       (select project from jobrunner.batch where id = p.id) as project
from unnest(array(select id from page)) with ordinality as p (id, place)
join jobrunner.batch_view b on b.id = p.id
order by p.place
