-- Jobs that have lost two workers are suspects: they run alone, when nothing else waits. They wait
-- in `deferred` also when their time has come, and are leased from there.
alter table jobrunner.deferred add column alone boolean not null default false;
alter table jobrunner.lease add column alone boolean not null default false;
create index deferred_alone on jobrunner.deferred (run_at) where alone;
create index lease_alone on jobrunner.lease (session_id) where alone;

-- Turns go to owners first, in the order of their virtual times, which grow by 1/weight with each
-- job that is claimed for them. `lane.vtime` is what earlier versions went by.
create table jobrunner.turn (
    id     uuid   not null primary key,
    vtime  float8 not null default 0,
    weight float8 not null default 1 check (weight > 0)
) with (fillfactor = 40);
insert into jobrunner.turn (id) select distinct owner_id from jobrunner.lane;

-- Lanes that may have claimable jobs, so that a claim need not look at others: every lane with rows
-- in `ready` is in it, but for those of paused queues, once or several times; others leave it after
-- a while. Within its owner's turns a lane has a virtual time, too.
create table jobrunner.active (
    lane_id  bigint      not null,
    owner_id uuid        not null,
    weight   float8      not null,
    vtime    float8      not null default 0,
    since    timestamptz not null default clock_timestamp()
) with (fillfactor = 40);
create index active_of_owner on jobrunner.active (owner_id, lane_id);
create index active_of_lane on jobrunner.active (lane_id);
insert into jobrunner.active (lane_id, owner_id, weight)
select l.id, l.owner_id, q.weight
from jobrunner.lane l join jobrunner.queue q on q.name = l.queue and not q.paused
where exists (select from jobrunner.ready r where r.lane_id = l.id);

-- Who makes jobs claimable holds shared locks on behalf of their lanes until the transaction ends,
-- 64 at most. `turn/forget` takes a lane out only under the exclusive lock, and looks after it has
-- it: a lane is seen here by who fills it, or it is put in anew.
create function jobrunner.note_active() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(1785098866, place)
    from (select distinct (lane_id % 64)::int as place from fresh order by 1) p;
    insert into jobrunner.turn (id)
    select distinct l.owner_id
    from (select distinct lane_id from fresh) f
    join jobrunner.lane l on l.id = f.lane_id
    where not exists (select from jobrunner.turn t where t.id = l.owner_id)
    on conflict do nothing;
    insert into jobrunner.active (lane_id, owner_id, weight)
    select l.id, l.owner_id, coalesce(q.weight, 1)
    from (select distinct lane_id from fresh) f
    join jobrunner.lane l on l.id = f.lane_id
    left join jobrunner.queue q on q.name = l.queue
    where q.paused is not true
      and not exists (select from jobrunner.active a where a.lane_id = f.lane_id);
    return null;
end $$;
create trigger ready_is_active after insert on jobrunner.ready
    referencing new table as fresh for each statement execute function jobrunner.note_active();

-- Queues that nobody uses are forgotten, but for those that somebody has set up. One that is not
-- there is not paused and has the weight 1.
alter table jobrunner.queue add column is_set_up boolean not null default false;
alter table jobrunner.queue add column unused_since timestamptz;
update jobrunner.queue set is_set_up = true where paused or weight <> 1;
