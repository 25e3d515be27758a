-- What several accounts share. Projects are known by their names, which never change; a job, a
-- batch or a token without one belongs to its owner alone, and is in no index of projects.
create table project (
    name        text    not null primary key,
    description text,
    is_archived integer not null default 0,
    created_at  integer not null
) without rowid;
create table project_member (
    project  text    not null,
    user_id  blob    not null,
    role     text    not null check (role in ('maintainer', 'operator', 'viewer')),
    added_at integer not null,
    primary key (project, user_id)
) without rowid;
create index project_member_of_user on project_member (user_id, project);

alter table job add column project text;
create index job_of_project on job (project, status, id) where project is not null;
alter table batch add column project text;
create index batch_of_project on batch (project, id) where project is not null;

-- A token that is good for one project alone.
alter table personal_token add column project text;
