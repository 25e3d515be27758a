-- As ended, of projects $7 and of owner $8: as many of each by its index, which are merged. $5 and
-- $6 are null.
with page (id) as (
    select id from (
        select of_project.id from unnest($7::text[]) as p (name)
        cross join lateral (
            select e.job_id as id from jobrunner.ended e join jobrunner.job j on j.id = e.job_id
            where e.project = p.name and e.status = $9 and e.job_id < $1
              and (j.lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
              and (j.name like $4 or $4 is null)
              and ($10 = (select a.reason from jobrunner.attempt a where a.job_id = e.job_id
                         order by a.attempt desc limit 1) or $10 is null)
            order by e.job_id desc limit $2) of_project
        union
        (select e.job_id as id from jobrunner.ended e join jobrunner.job j on j.id = e.job_id
         where e.owner_id = $8 and e.status = $9 and e.job_id < $1
           and (j.lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
           and (j.name like $4 or $4 is null)
           and ($10 = (select a.reason from jobrunner.attempt a where a.job_id = e.job_id
                      order by a.attempt desc limit 1) or $10 is null)
         order by e.job_id desc limit $2)) merged
    where $5::uuid is null and $6::uuid is null
    order by id desc limit $2
)
