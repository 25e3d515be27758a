-- What several accounts share. Projects are known by their names, which never change; a job, a
-- batch or a token without one belongs to its owner alone, and is in no index of projects.
create table jobrunner.project (
    name        text        not null primary key,
    description text,
    is_archived boolean     not null default false,
    created_at  timestamptz not null
);
create table jobrunner.project_member (
    project  text        not null,
    user_id  uuid        not null,
    role     text        not null check (role in ('maintainer', 'operator', 'viewer')),
    added_at timestamptz not null,
    primary key (project, user_id)
);
create index project_member_of_user on jobrunner.project_member (user_id, project);

alter table jobrunner.job add column project text;
create index job_of_project on jobrunner.job (project, id) where project is not null;
alter table jobrunner.ended add column project text;
create index ended_of_project on jobrunner.ended (project, status, job_id) where project is not null;
alter table jobrunner.batch add column project text;
create index batch_of_project on jobrunner.batch (project, id) where project is not null;

-- A token that is good for one project alone.
alter table jobrunner.personal_token add column project text;
