-- A batch that repeats tests of the run of batch $2, if that is one. $1 batch, $3 now, $4 in days.
insert into jobrunner.run (batch_id, series_no, repeats, branch, sha, dirty, url, has_revision, gate,
                           baseline_branch, baseline_run, created_at, day)
select $1, series_no, coalesce(repeats, no), branch, sha, dirty, url, has_revision, gate, baseline_branch,
       baseline_run, $3, $4
from jobrunner.run where batch_id = $2
returning no, series_no
