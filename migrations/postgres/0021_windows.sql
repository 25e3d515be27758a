-- Notifications of projects and series, and messages about all that ended within a window.

-- Of what belongs to this project; null is of the owner's.
alter table jobrunner.subscription add column project text;
-- Of runs of the series of this name; null is of all.
alter table jobrunner.subscription add column series text;
-- How what happens is gathered, as JSON; null is that each event is told by itself.
alter table jobrunner.subscription add column digest text;
-- When the window that is open ends.
alter table jobrunner.subscription add column window_ends_at timestamptz;
create index subscription_of_project on jobrunner.subscription (project, id) where project is not null;

-- Two more states: 3 waits for the end of its window, 4 is told by a message of the window.
-- How many attempts there were since somebody asked for it.
alter table jobrunner.delivery add column tried integer not null default 0;
-- What a message of a window tells, as JSON.
alter table jobrunner.delivery add column gathered text;
create index delivery_gathered on jobrunner.delivery (subscription_id) where state = 3;
