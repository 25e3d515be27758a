-- Those of the lanes $1 that are idle, while nobody can be filling them: see `note_active`.
delete from jobrunner.active a
using (select ctid from jobrunner.active a
       where lane_id = any($1) and not exists (select from jobrunner.ready r where r.lane_id = a.lane_id)
       for update skip locked) idle
where a.ctid = idle.ctid
