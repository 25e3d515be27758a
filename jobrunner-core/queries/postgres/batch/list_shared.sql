-- As list, of projects $6 and of owner $7: as many of each by its index, which are merged. $5 is
-- null.
with page (id) as (
    select id from (
        select of_project.id from unnest($6::text[]) as p (name)
        cross join lateral (
            select id from jobrunner.batch
            where project = p.name and id < $1 and (name like $3 or $3 is null) and (status = $4 or $4 is null)
            order by id desc limit $2) of_project
        union
        (select id from jobrunner.batch
         where owner_id = $7 and id < $1 and (name like $3 or $3 is null) and (status = $4 or $4 is null)
         order by id desc limit $2)) merged
    where $5::uuid is null
    order by id desc limit $2
)
