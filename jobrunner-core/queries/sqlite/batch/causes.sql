-- Members that failed, with how many failed alike, the newest five of each kind. $1 batch, $2 how
-- many failures are looked at, $3 how many are named of each kind.
select reason, exit_code, signal, error_line, alike, id, name
from (
    select f.*, count(*) over alike as alike,
           row_number() over (partition by f.reason, f.exit_code, f.signal, f.error_line order by f.id desc)
               as place
    from (
        select j.id, j.name, a.reason, a.exit_code, a.signal, a.error_line
        from (select id, name from job where batch_id = $1 and status = 3 order by id desc limit $2) j
        join attempt a on a.job_id = j.id
         and a.attempt = (select max(attempt) from attempt where job_id = j.id)) f
    window alike as (partition by f.reason, f.exit_code, f.signal, f.error_line))
where place <= $3
order by alike desc, reason, exit_code, signal, error_line, place
limit 500
