-- The lanes that a group of specifications needs. $1 a JSON array of queue names, $2 owner.
insert into lane (queue, owner_id)
select value, $2 from json_each($1) where true
on conflict do nothing
