-- Causes by their numbers, in order, so that nobody waits for another in a ring. $1 numbers, $2
-- reasons, $3 exit codes, $4 signals, $5 last lines.
insert into jobrunner.cause (no, reason, exit_code, signal, error_line)
select g.* from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::text[])
                as g (no, reason, exit_code, signal, error_line)
where not exists (select from jobrunner.cause c where c.no = g.no)
order by g.no
on conflict do nothing
