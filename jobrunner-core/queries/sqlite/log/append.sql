insert into log_chunk (job_id, attempt, stream, start, bytes) values (?1, ?2, ?3, ?4, ?5)
on conflict do nothing
