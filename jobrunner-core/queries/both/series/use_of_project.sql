-- The series of this name of project $5, as use.
insert into jobrunner.series (id, owner_id, name, created_at, project) values ($1, $2, $3, $4, $5)
on conflict (project, name) where project is not null do update set name = excluded.name
returning no
