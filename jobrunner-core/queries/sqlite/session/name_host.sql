insert into host (name) select $2 where not exists (select 1 from host where name = $2)
