-- From the chunk that starts at $4 or before it; the reader leaves out what ends before $4.
select start, bytes, marks from jobrunner.log_chunk
where job_id = $1 and attempt = $2 and stream = $3
  and start >= coalesce(
      (select max(start) from jobrunner.log_chunk
       where job_id = $1 and attempt = $2 and stream = $3 and start <= $4), 0)
order by start
