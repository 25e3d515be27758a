-- Who asked for what, and was allowed to. A row is written before it is carried out and is never changed.
create table audit_event (
    id          blob    not null primary key,
    created_at  integer not null,
    -- Null is the service itself, or somebody who could not prove who they are.
    actor_id    blob,
    actor_email text,
    action      text    not null,
    target_type text,
    target_id   text,
    target_name text,
    -- What was to change, a JSON object.
    details     text    not null
) without rowid;
create index audit_event_of_actor on audit_event (actor_id, id);
create index audit_event_of_action on audit_event (action, id);
create index audit_event_of_target on audit_event (target_id, id);

create trigger audit_event_is_not_changed before update on audit_event
begin
    select raise(abort, 'audit events are neither changed nor deleted');
end;
create trigger audit_event_is_not_deleted before delete on audit_event
begin
    select raise(abort, 'audit events are neither changed nor deleted');
end;
