-- Whether a job that was there before $2 may still be started, or runs unmarked. $1 owner, null is
-- any.
select exists (select from jobrunner.ready r join jobrunner.job j on j.id = r.job_id
               where j.created_at < $2 and ($1::uuid is null or j.owner_id = $1))
    or exists (select from jobrunner.deferred d join jobrunner.job j on j.id = d.job_id
               where j.created_at < $2 and ($1::uuid is null or j.owner_id = $1))
    or exists (select from jobrunner.lease l
               where not l.cancel and l.claimed_at < $2 and ($1::uuid is null or l.owner_id = $1))
