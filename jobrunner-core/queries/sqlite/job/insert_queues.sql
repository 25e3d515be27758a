insert into queue (name)
select value from json_each($1) where true
on conflict do nothing
