-- Leases of sessions that are gone, or of all sessions when $1 is 1, and how far the streams of
-- their attempts are stored; and how many attempts before were lost without a word: those that a
-- worker stopped when it was to stop itself have a signal. $2 now.
select l.job_id, l.token, l.owner_id, l.batch_id, l.attempts, l.losses, l.cancel, l.alone, j.max_attempts, j.retry, j.test_no, j.run_no,
       l.host,
       l.started_at is not null as is_started, ifnull(max($2 - l.started_at, 0), 0) as ran_ms,
       (select start + length(bytes) from log_chunk
        where job_id = l.job_id and attempt = l.attempts and stream = 1 order by start desc limit 1) as stdout_end,
       (select start + length(bytes) from log_chunk
        where job_id = l.job_id and attempt = l.attempts and stream = 2 order by start desc limit 1) as stderr_end,
       (select count(*) from attempt
        where job_id = l.job_id and reason = 'worker_lost' and signal is null) as lost
from lease l join job j on j.id = l.job_id
where $1 or l.session_id not in (select id from session)
order by l.token
limit 500
