-- As newest, of projects $7 and of owner $8: as many of each by its index, which are merged. $5 and
-- $6 are null.
with page (id) as (
    select id from (
        select of_project.id from unnest($7::text[]) as p (name)
        cross join lateral (
            select id from jobrunner.job
            where project = p.name and id < $1 and (lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
              and (name like $4 or $4 is null)
            order by id desc limit $2) of_project
        union
        (select id from jobrunner.job
         where owner_id = $8 and id < $1 and (lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
           and (name like $4 or $4 is null)
         order by id desc limit $2)) merged
    where $5::uuid is null and $6::uuid is null
    order by id desc limit $2
)
