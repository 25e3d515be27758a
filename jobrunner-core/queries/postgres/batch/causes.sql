-- Members that failed, with how many failed alike, the newest five of each kind. $1 batch, $2 how
-- many failures are looked at, $3 how many are named of each kind.
select reason, exit_code, signal, error_line, alike, id, name
from (
    select f.*, count(*) over alike as alike, row_number() over (alike order by f.id desc) as place
    from (
        select j.id, j.name, a.reason, a.exit_code, a.signal, a.error_line
        from (select job_id from jobrunner.ended where batch_id = $1 and status = 3
              order by job_id desc limit $2) e
        join jobrunner.job j on j.id = e.job_id
        cross join lateral (select reason, exit_code, signal, error_line from jobrunner.attempt
                            where job_id = e.job_id order by attempt desc limit 1) a) f
    window alike as (partition by f.reason, f.exit_code, f.signal, f.error_line)) g
where place <= $3
order by alike desc, reason, exit_code, signal, error_line, place
limit 500
