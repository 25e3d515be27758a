-- How far the streams of running attempts are stored. $1 jobs, $2 attempts.
select i.job_id, s.stream,
       (select start + length(bytes) from jobrunner.log_chunk c
        where c.job_id = i.job_id and c.attempt = i.attempt and c.stream = s.stream
        order by start desc limit 1) as stored_end
from unnest($1::uuid[], $2::bigint[]) as i (job_id, attempt)
cross join (values (1::bigint), (2)) as s (stream)
