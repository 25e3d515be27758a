-- Whether a job of the batch may still be started, or runs unmarked.
select (select coalesce(sum(waiting), 0) > 0 from jobrunner.batch_count where batch_id = $1)
    or exists (select from jobrunner.lease where batch_id = $1 and not cancel)
