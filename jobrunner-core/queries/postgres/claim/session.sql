-- Where a session may claim, and whether scheduled jobs are due.
select draining, host, exists (select from jobrunner.deferred where run_at <= clock_timestamp()) as is_due
from jobrunner.session where id = $1 and expires_at > clock_timestamp()
