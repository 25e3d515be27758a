-- Whose window has ended at $1, or who has none any more and something gathered in one.
select id, digest, window_ends_at
from subscription s
where window_ends_at <= $1
   or (window_ends_at is null
       and exists (select 1 from delivery d where d.subscription_id = s.id and d.state = 3))
order by id limit 100
