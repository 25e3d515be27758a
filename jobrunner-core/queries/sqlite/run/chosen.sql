-- Runs $1, a JSON array of their numbers.
with page (no) as (select value from json_each($1))
