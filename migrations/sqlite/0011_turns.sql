-- Jobs that have lost two workers are suspects: they run alone, when nothing else waits. They wait
-- in `deferred` also when their time has come, and are leased from there.
alter table deferred add column alone integer not null default 0;
alter table lease add column alone integer not null default 0;
create index deferred_alone on deferred (run_at) where alone;
create index lease_alone on lease (session_id) where alone;

-- Turns go to owners first, in the order of their virtual times, which grow by 1/weight with each
-- job that is claimed for them. `lane.vtime` is what earlier versions went by.
create table turn (
    id     blob not null primary key,
    vtime  real not null default 0,
    weight real not null default 1 check (weight > 0)
) without rowid;
insert into turn (id) select distinct owner_id from lane;

-- Lanes that may have claimable jobs, so that a claim need not look at others: every lane with rows
-- in `ready` is in it, but for those of paused queues; others leave it after a while. Within its
-- owner's turns a lane has a virtual time, too.
create table active (
    lane_id  integer primary key,
    owner_id blob    not null,
    weight   real    not null,
    vtime    real    not null default 0,
    since    integer not null default 0
);
create index active_of_owner on active (owner_id);
insert into active (lane_id, owner_id, weight, since)
select l.id, l.owner_id, q.weight, 0
from lane l join queue q on q.name = l.queue and not q.paused
where exists (select 1 from ready r where r.lane_id = l.id);

create trigger ready_is_active after insert on ready
when not exists (select 1 from active where lane_id = new.lane_id)
begin
    insert or ignore into turn (id) select owner_id from lane where id = new.lane_id;
    insert into active (lane_id, owner_id, weight, since)
    select l.id, l.owner_id, ifnull(q.weight, 1), round(unixepoch('subsec') * 1000)
    from lane l left join queue q on q.name = l.queue
    where l.id = new.lane_id and ifnull(q.paused, 0) = 0;
end;

-- Queues that nobody uses are forgotten, but for those that somebody has set up. One that is not
-- there is not paused and has the weight 1.
alter table queue add column is_set_up integer not null default 0;
alter table queue add column unused_since integer;
update queue set is_set_up = 1 where paused or weight <> 1;
