-- Who asked for what, and was allowed to. A row is written before it is carried out and is never changed.
create table jobrunner.audit_event (
    id          uuid        not null primary key,
    created_at  timestamptz not null,
    -- Null is the service itself, or somebody who could not prove who they are.
    actor_id    uuid,
    actor_email text,
    action      text        not null,
    target_type text,
    target_id   text,
    target_name text,
    -- What was to change, a JSON object.
    details     text        not null
);
create index audit_event_of_actor on jobrunner.audit_event (actor_id, id);
create index audit_event_of_action on jobrunner.audit_event (action, id);
create index audit_event_of_target on jobrunner.audit_event (target_id, id);

create function jobrunner.keep_audit() returns trigger language plpgsql as $$
begin
    raise exception 'audit events are neither changed nor deleted';
end
$$;
create trigger audit_event_is_kept before update or delete or truncate on jobrunner.audit_event
    for each statement execute function jobrunner.keep_audit();
