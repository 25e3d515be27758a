-- Those of $1, a JSON array of ids, that were not stored.
select unhex(e.value) from json_each($1) e where not exists (select 1 from job where id = unhex(e.value))
