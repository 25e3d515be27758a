-- As waiting, of projects $7 and of owner $8: as many of each by its index, which are merged. $5
-- and $6 are null.
with open (since) as materialized (
    select least(
        (select r.job_id
         from jobrunner.lane l
         cross join generate_series(0, 10) as p (prio)
         cross join lateral (select job_id from jobrunner.ready
                             where lane_id = l.id and prio = p.prio order by job_id limit 1) r
         order by r.job_id limit 1),
        (select job_id from jobrunner.deferred order by job_id limit 1),
        (select job_id from jobrunner.lease where started_at is null order by job_id limit 1))
), page (id) as (
    select id from (
        select of_project.id from unnest($7::text[]) as p (name)
        cross join lateral (
            select j.id from jobrunner.job j
            where j.project = p.name and j.id < $1 and j.id >= (select since from open)
              and (j.lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
              and (j.name like $4 or $4 is null)
              and not exists (select from jobrunner.ended e where e.job_id = j.id)
              and not exists (select from jobrunner.lease l where l.job_id = j.id and l.started_at is not null)
            order by j.id desc limit $2) of_project
        union
        (select j.id from jobrunner.job j
         where j.owner_id = $8 and j.id < $1 and j.id >= (select since from open)
           and (j.lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
           and (j.name like $4 or $4 is null)
           and not exists (select from jobrunner.ended e where e.job_id = j.id)
           and not exists (select from jobrunner.lease l where l.job_id = j.id and l.started_at is not null)
         order by j.id desc limit $2)) merged
    where $5::uuid is null and $6::uuid is null
    order by id desc limit $2
)
