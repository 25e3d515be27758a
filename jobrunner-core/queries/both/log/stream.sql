-- Where a stream's stored parts begin and end.
with gap (head_end) as (
    select head_end from jobrunner.log_gap where job_id = $1 and attempt = $2 and stream = $3
)
select (select head_end from gap) as head_end,
       (select start from jobrunner.log_chunk
        where job_id = $1 and attempt = $2 and stream = $3 and start >= (select head_end from gap)
        order by start limit 1) as tail_start,
       (select start + length(bytes) from jobrunner.log_chunk
        where job_id = $1 and attempt = $2 and stream = $3
        order by start desc limit 1) as stored_end
