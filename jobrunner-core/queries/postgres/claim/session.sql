-- Where session $1 may claim, whether scheduled jobs are due, and suspects; and whether it runs
-- one. The first by index is looked at alone, however many are scheduled.
select s.draining, s.host,
       coalesce((select run_at from jobrunner.deferred where not alone order by run_at limit 1)
                <= clock_timestamp(), false) as is_due,
       coalesce((select run_at from jobrunner.deferred where alone order by run_at limit 1)
                <= clock_timestamp(), false) as is_suspected,
       exists (select from jobrunner.lease l where l.session_id = s.id and l.alone) as is_alone
from jobrunner.session s where s.id = $1 and s.expires_at > clock_timestamp()
