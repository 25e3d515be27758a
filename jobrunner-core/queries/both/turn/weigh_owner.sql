insert into jobrunner.turn (id, weight) values ($1, $2)
on conflict (id) do update set weight = excluded.weight
