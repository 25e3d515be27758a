-- A series belongs to a project if its batches do, and else to its owner alone.
alter table jobrunner.series add column project text;
alter table jobrunner.series drop constraint series_owner_id_name_key;
-- All of whose batches are of one project, the oldest of its name, is the series of that project.
update jobrunner.series s set project = chosen.project
from (
    select distinct on (p.project, o.name) o.no, p.project
    from jobrunner.series o
    join (select r.series_no, min(b.project) as project
          from jobrunner.run r join jobrunner.batch b on b.id = r.batch_id
          group by r.series_no
          having count(b.project) = count(*) and min(b.project) = max(b.project)) p on p.series_no = o.no
    order by p.project, o.name, o.no) chosen
where chosen.no = s.no;
create unique index series_of_owner on jobrunner.series (owner_id, name) where project is null;
create unique index series_of_project on jobrunner.series (project, name) where project is not null;
