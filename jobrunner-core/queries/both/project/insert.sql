insert into jobrunner.project (name, description, is_archived, created_at)
values ($1, $2, $3, $4)
on conflict (name) do nothing
