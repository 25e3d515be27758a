-- The series of this name of an owner, made if it is not there. Until the transaction ends nobody
-- else submits to it: of two who store the same new tests none waits for the other in a ring, and
-- the numbers of runs are in the order in which the runs can be seen. $1 id, $2 owner, $3 name, $4
-- now.
insert into jobrunner.series (id, owner_id, name, created_at) values ($1, $2, $3, $4)
on conflict (owner_id, name) do update set name = excluded.name
returning no
