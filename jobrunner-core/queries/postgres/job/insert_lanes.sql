insert into jobrunner.lane (queue, owner_id)
select name, $2 from unnest($1::text[]) as q (name) order by name
on conflict do nothing
