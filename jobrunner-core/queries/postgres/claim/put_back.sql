-- A suspect that was made claimable and not leased waits again.
with gone as (
    delete from jobrunner.ready r using jobrunner.job j
    where j.id = $1 and r.lane_id = j.lane_id and r.prio = 10 - j.priority and r.job_id = j.id
    returning r.job_id, r.attempts, r.losses
)
insert into jobrunner.deferred (run_at, job_id, attempts, losses, alone)
select clock_timestamp() + interval '1 second', job_id, attempts, losses, true from gone
