-- Of batches $1 those that belong to whom $2, $3 and $4 say, as in get.
select id, name from batch
where id in (select unhex(value) from json_each($1)) and (owner_id = $2 or $2 is null)
  and (project in (select value from json_each($3)) or owner_id = $4 or $3 is null)
