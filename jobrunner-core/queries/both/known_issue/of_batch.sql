-- Those that say something of batch $1, a run of series $3: what has not ended at $2.
where expires_at > $2 and (series = $3 or series is null)
  and id in (
    select k.id from jobrunner.batch b join jobrunner.known_issue k on k.project = b.project
    where b.id = $1
    union all
    select k.id from jobrunner.batch b join jobrunner.known_issue k on k.owner_id = b.owner_id and k.project is null
    where b.id = $1 and b.project is null)
order by id
