-- Jobs whose time has come, for session $2. Of those that have lost a worker one at a time, and
-- none in the first half second of another one in the same session: one that kills its worker is
-- not leased together with those that it took along before. Suspects stay where they are. $1 now.
select job_id from (select job_id from deferred
                    where run_at <= $1 and losses = 0 and not alone order by run_at limit 1000)
union all
select job_id from (select job_id from deferred where run_at <= $1 and losses > 0 and not alone
                      and not exists (select 1 from lease
                                      where session_id = $2 and losses > 0 and claimed_at > $1 - 500)
                      order by run_at limit 1)
