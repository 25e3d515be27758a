-- The series of this name of an owner alone, made if it is not there. Until the transaction ends
-- nobody else submits to it: of two who store the same new tests none waits for the other in a
-- ring, and the numbers of runs are in the order in which the runs can be seen. $1 id, $2 owner,
-- $3 name, $4 now; $5, the project, is null.
insert into jobrunner.series (id, owner_id, name, created_at, project) values ($1, $2, $3, $4, $5)
on conflict (owner_id, name) where project is null do update set name = excluded.name
returning no
