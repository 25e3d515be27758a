insert into jobrunner.project_member (project, user_id, role, added_at)
values ($1, $2, $3, $4)
on conflict (project, user_id) do update set role = excluded.role
