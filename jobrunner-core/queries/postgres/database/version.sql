-- The schema's version; the table does not exist before the first migration.
select max(version) from jobrunner.migration where success
