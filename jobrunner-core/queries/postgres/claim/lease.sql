-- Moves chosen jobs from `ready` to `lease`, each with a fresh token. What a cancel or another claim has
-- locked is passed over. $1 ids in the order of the choice, $2 their lanes, $3 their places in them, $4
-- session, $5 its host. All three parts of the key of `ready` are given, so that each row is found by itself.
with chosen as materialized (
    select r.lane_id, r.prio, r.job_id, c.place
    from unnest($1::uuid[], $2::bigint[], $3::smallint[]) with ordinality as c (job_id, lane_id, prio, place)
    join jobrunner.ready r on r.lane_id = c.lane_id and r.prio = c.prio and r.job_id = c.job_id
    for update of r skip locked
), gone as (
    delete from jobrunner.ready r using chosen c
    where r.lane_id = c.lane_id and r.prio = c.prio and r.job_id = c.job_id
    returning r.lane_id, r.prio, r.job_id, r.attempts, r.losses, c.place
), leased as (
    insert into jobrunner.lease (job_id, token, session_id, owner_id, batch_id, lane_id, prio, attempts,
                                 losses, claimed_at, host)
    select j.id, nextval('jobrunner.lease_token'), $4, j.owner_id, j.batch_id, g.lane_id, g.prio,
           g.attempts, g.losses, clock_timestamp(), $5
    from gone g join jobrunner.job j on j.id = g.job_id
    returning job_id, token, owner_id, batch_id, attempts
)
select s.token, s.job_id, s.owner_id, s.batch_id, s.attempts, j.spec
from leased s
join gone g on g.job_id = s.job_id
join jobrunner.job j on j.id = s.job_id
order by g.place
