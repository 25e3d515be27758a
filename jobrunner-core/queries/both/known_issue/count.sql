-- How many there are beside each other: of project $1, or of account $2 if that is null.
select (select count(*) from jobrunner.known_issue where project = $1)
     + (select count(*) from jobrunner.known_issue where $1 is null and project is null and owner_id = $2)
