-- Leases of sessions that are gone, or of all sessions when $1 is true, and how far the streams of
-- their attempts are stored; and how many attempts before were lost without a word: those that a
-- worker stopped when it was to stop itself have a signal.
select l.job_id, l.token, l.owner_id, l.batch_id, l.attempts, l.losses, l.cancel, l.alone,
       j.max_attempts, j.retry, j.test_no, j.run_no,
       l.host, l.started_at is not null as is_started,
       coalesce(jobrunner.ms(clock_timestamp()) - jobrunner.ms(l.started_at), 0) as ran_ms,
       (select start + length(bytes) from jobrunner.log_chunk
        where job_id = l.job_id and attempt = l.attempts and stream = 1
        order by start desc limit 1) as stdout_end,
       (select start + length(bytes) from jobrunner.log_chunk
        where job_id = l.job_id and attempt = l.attempts and stream = 2
        order by start desc limit 1) as stderr_end,
       (select count(*) from jobrunner.attempt
        where job_id = l.job_id and reason = 'worker_lost' and signal is null) as lost
from jobrunner.lease l
join jobrunner.job j on j.id = l.job_id
where $1 or not exists (select from jobrunner.session s where s.id = l.session_id)
order by l.job_id
limit 500
for update of l skip locked
