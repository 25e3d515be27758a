-- A series belongs to a project if its batches do, and else to its owner alone.
create table series_of_before as select no, id, owner_id, name, created_at from series;
drop table series;
create table series (
    no         integer primary key,
    id         blob    not null unique,
    owner_id   blob    not null,
    name       text    not null,
    created_at integer not null,
    project    text
);
-- All of whose batches are of one project, the oldest of its name, is the series of that project.
insert into series (no, id, owner_id, name, created_at, project)
select o.no, o.id, o.owner_id, o.name, o.created_at,
       case when p.project is not null
            then iif(row_number() over (partition by p.project, o.name order by o.no) = 1, p.project, null) end
from series_of_before o
left join (select r.series_no, min(b.project) as project
           from run r join batch b on b.id = r.batch_id
           group by r.series_no
           having count(b.project) = count(*) and min(b.project) = max(b.project)) p on p.series_no = o.no;
drop table series_of_before;
create unique index series_of_owner on series (owner_id, name) where project is null;
create unique index series_of_project on series (project, name) where project is not null;
