insert into batch (id, owner_id, name, description, payload, rerun_of, project, created_at)
values ($1, $2, $3, $4, $5, $6, $7, round(unixepoch('subsec') * 1000))
returning created_at
