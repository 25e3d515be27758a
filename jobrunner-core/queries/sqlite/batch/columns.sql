-- The batches of a page, in its order.
select b.id, b.owner_id, b.name, b.description, b.payload, b.rerun_of, b.created_at, b.status, b.started_at,
       b.finished_at, b.waiting, b.running, b.passed, b.failed, b.canceled, b.flaky, b.skipped,
       (select project from batch where id = p.id) as project
from (select id, row_number() over () as place from page) p
cross join batch_view b
where b.id = p.id
order by p.place
