insert into jobrunner.log_chunk (job_id, attempt, stream, start, bytes, marks)
select * from unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bytea[], $6::text[])
on conflict do nothing
