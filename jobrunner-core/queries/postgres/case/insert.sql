insert into jobrunner.job_case (job_id, attempt, place, duration_ms, status, flaky, class, name, file,
                                message)
select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::boolean[],
                     $7::text[], $8::text[], $9::text[], $10::text[])
