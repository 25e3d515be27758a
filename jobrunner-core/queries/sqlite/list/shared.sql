-- Jobs of projects $7 and of owner $8, newest first, of status $9 or of all that are stored, null
-- being any: for each project and the owner, and for each status, an index is read backwards as far
-- as the page is long, and what they have is merged. The other parameters are those of of_all.
-- What waits is stored like what runs; the latter is left out if $9 asks for the former.
with wanted (status) as (
    select value from json_each(case when $9 is null then '[0, 2, 3, 4]' else json_array($9) end)
), found (ids) as (
    select (select json_group_array(hex(id)) from (
                select id from job
                where project = p.value and status = w.status and id < $1
                  and ($3 is null or spec ->> '$.queue' = $3) and ($4 is null or name glob $4)
                  and ($9 is null or $9 <> 0 or id not in (select job_id from lease where started_at is not null))
                  and ($10 is null
                       or $10 = (select reason from attempt where job_id = job.id order by attempt desc limit 1))
                order by id desc limit $2))
    from json_each($7) p cross join wanted w
    union all
    select (select json_group_array(hex(id)) from (
                select id from job
                where owner_id = $8 and status = w.status and id < $1
                  and ($3 is null or spec ->> '$.queue' = $3) and ($4 is null or name glob $4)
                  and ($9 is null or $9 <> 0 or id not in (select job_id from lease where started_at is not null))
                  and ($10 is null
                       or $10 = (select reason from attempt where job_id = job.id order by attempt desc limit 1))
                order by id desc limit $2))
    from wanted w
), page (id) as (
    select distinct unhex(e.value) as id from found f, json_each(f.ids) e order by id desc limit $2
)
