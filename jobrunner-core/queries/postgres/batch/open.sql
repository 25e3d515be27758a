-- Batches that have not finished, oldest first behind $1: among them those whose writer died
-- between the end of the last job and that of the batch.
select id from jobrunner.batch where finished_at is null and id > $1 order by id limit 1000
