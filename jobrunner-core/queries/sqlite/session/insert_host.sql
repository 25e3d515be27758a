insert into worker_host (id, host) values ($1, $2) on conflict (id) do nothing
