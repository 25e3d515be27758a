-- Runs of series $1, newest first: before $2, limit $3; $4 branch, null is any; $5 whether those
-- that repeat tests of others are among them.
with page (no) as (
    select no from jobrunner.run
    where series_no = $1 and no < $2 and (branch = $4 or $4 is null) and (repeats is null or $5)
    order by no desc limit $3
)
