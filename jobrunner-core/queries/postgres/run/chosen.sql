-- Runs $1 by their numbers.
with page (no) as (select unnest($1::bigint[]))
