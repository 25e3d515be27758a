select id, name from batch
where id in (select unhex(value) from json_each($1)) and ($2 is null or owner_id = $2)
