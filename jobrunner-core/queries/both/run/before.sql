-- The runs that a run is compared with, newest first: $3 at most of series $1 and branch $2, before
-- run $4. What repeats tests of another is none of them.
select no, day from jobrunner.run
where series_no = $1 and branch = $2 and repeats is null and no < $4
order by no desc limit $3
