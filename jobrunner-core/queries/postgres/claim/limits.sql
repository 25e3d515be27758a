-- What the limited ones among these owners may have running. Whoever holds the lock claims for
-- them; an owner that somebody else claims for is left out.
select id, max_running_jobs
from jobrunner.account
where id = any($1) and max_running_jobs is not null
order by id
for no key update skip locked
