-- Moves chosen jobs from `ready` to `lease`, each with a fresh token, and charges their attempts;
-- moves the virtual times on. What a cancel or another claim has locked is passed over.
-- $1 ids in the order of the choice, $2 their lanes, $3 their places in them; $4 session, $5 its
-- host; $6 owners, $7 their new virtual times; $8 lanes, $9 theirs. All three parts of the key of
-- `ready` are given, so that each row is found by itself.
with chosen as materialized (
    select r.lane_id, r.prio, r.job_id, c.place
    from unnest($1::uuid[], $2::bigint[], $3::smallint[]) with ordinality as c (job_id, lane_id, prio, place)
    join jobrunner.ready r on r.lane_id = c.lane_id and r.prio = c.prio and r.job_id = c.job_id
    for update of r skip locked
), gone as (
    delete from jobrunner.ready r using chosen c
    where r.lane_id = c.lane_id and r.prio = c.prio and r.job_id = c.job_id
    returning r.lane_id, r.prio, r.job_id, r.attempts, r.losses, c.place
), found as materialized (
    select g.*, j.owner_id, j.batch_id, j.spec, nextval('jobrunner.lease_token') as token
    from gone g join jobrunner.job j on j.id = g.job_id
), leased as (
    insert into jobrunner.lease (job_id, token, session_id, owner_id, batch_id, lane_id, prio, attempts,
                                 losses, claimed_at, started_at, host)
    select job_id, token, $4, owner_id, batch_id, lane_id, prio, attempts + 1, losses, clock_timestamp(),
           clock_timestamp(), $5
    from found
), advanced as (
    update jobrunner.turn t set vtime = v.vtime
    from unnest($6::uuid[], $7::float8[]) as v (id, vtime)
    where t.id = v.id
), advanced_within as (
    update jobrunner.active a set vtime = v.vtime
    from unnest($8::bigint[], $9::float8[]) as v (id, vtime)
    where a.lane_id = v.id
)
select token, job_id, owner_id, batch_id, attempts + 1 as attempt, spec from found order by place
