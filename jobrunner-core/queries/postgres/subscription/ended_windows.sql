-- Whose window has ended at $1, or who has none any more and something gathered in one.
select id, digest, jobrunner.ms(window_ends_at) as window_ends_at
from jobrunner.subscription s
where window_ends_at <= $1
   or (window_ends_at is null
       and exists (select 1 from jobrunner.delivery d where d.subscription_id = s.id and d.state = 3))
order by id limit 100
