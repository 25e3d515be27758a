-- A batch as a run of a series. $1 batch, $2 series; what it tested: $3 branch, $4 sha, $5 whether
-- there are changes beside it, $6 URL, $7 whether it said so at all; $8 gate; $9 branch and $10
-- batch to compare with; $11 now, $12 in days.
insert into jobrunner.run (batch_id, series_no, branch, sha, dirty, url, has_revision, gate, baseline_branch,
                           baseline_run, created_at, day)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, (select no from jobrunner.run where batch_id = $10), $11, $12)
returning no
