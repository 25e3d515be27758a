-- What is stored of a class of an ended run, in its order: run $1, class $2, after place $3, limit
-- $4.
with page as (
    select place, test_no, job_id, since_run, runs, good_run, cause_no, issue_id
    from jobrunner.notable
    where run_no = $1 and class = $2 and place > $3
    order by place limit $4
)
