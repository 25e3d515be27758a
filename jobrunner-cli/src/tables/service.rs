use jobrunner_core::{
    Project, User,
    audit::AuditEvent,
    lease::{QueueState, Worker},
    project::Member,
    user::PersonalToken,
};
use serde::Serialize;

use super::{WHOLE, columns, cut, drop, either, or_dash};
use crate::{table::Column, time};

pub(crate) const QUEUES: &[Column<QueueState>] = columns! {
    "queue" cut(12), usual, |queue, _| queue.name.clone();
    "state" WHOLE, usual, |queue, _| if queue.paused { "paused" } else { "open" }.to_owned();
    "weight" WHOLE, usual, |queue, _| queue.weight.to_string();
    "waiting" WHOLE, usual, |queue, _| queue.waiting.to_string();
    "running" WHOLE, usual, |queue, _| queue.running.to_string();
    "oldest_waits" drop(1), usual, |queue, context| {
        or_dash(queue.oldest_waiting_at.map(|at| time::age(at, context.now)))
    };
};

pub(crate) const WORKERS: &[Column<Worker>] = columns! {
    "id" WHOLE, usual, |worker, context| context.id(worker.id.as_uuid());
    "host" cut(12), usual, |worker, _| worker.host.clone();
    "pid" drop(2), usual, |worker, _| worker.pid.to_string();
    "running" WHOLE, usual, |worker, _| format!("{} of {}", worker.running, worker.slots);
    "queues" cut(8), usual, |worker, _| {
        if worker.queues.is_empty() { "all".to_owned() } else { worker.queues.join(",") }
    };
    "state" WHOLE, usual, |worker, _| {
        if worker.draining { "draining" } else { "working" }.to_owned()
    };
    "containment" drop(3), usual, |worker, _| worker.containment.as_str().to_owned();
    "seen" drop(1), usual, |worker, context| time::age(worker.seen_at, context.now);
};

pub(crate) const USERS: &[Column<User>] = columns! {
    "email" cut(16), usual, |user, _| user.email.clone();
    "role" WHOLE, usual, |user, _| user.role.as_str().to_owned();
    "kind" drop(3), usual, |user, _| {
        if user.is_service { "service" } else { "person" }.to_owned()
    };
    "state" WHOLE, usual, |user, _| if user.is_active { "active" } else { "disabled" }.to_owned();
    "jobs_at_one_time" drop(2), usual, |user, _| {
        user.max_running_jobs.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string())
    };
    "created" drop(1), usual, |user, _| time::utc(Some(user.created_at));
};

pub(crate) const AUDIT: &[Column<AuditEvent>] = columns! {
    "at" WHOLE, usual, |event, _| time::utc(Some(event.created_at));
    "who" cut(12), usual, |event, _| {
        event.actor_email.clone().unwrap_or_else(|| "the service".to_owned())
    };
    "what" WHOLE, usual, |event, _| event.action.to_string();
    "on" cut(16), usual, |event, _| {
        let name = event.target_name.as_ref().or(event.target_id.as_ref());
        or_dash(event.target_type.zip(name).map(|(kind, name)| format!("{kind} {name}")))
    };
    "details" either(16, 1), usual, |event, _| {
        let details = event.details.iter().map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={value}"),
        });
        details.collect::<Vec<_>>().join(" ")
    };
};

pub(crate) const TOKENS: &[Column<PersonalToken>] = columns! {
    "id" WHOLE, usual, |token, context| context.id(token.id.as_uuid());
    "name" cut(12), usual, |token, _| token.name.clone();
    "scopes" WHOLE, usual, |token, _| {
        token.scopes.as_slice().iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
    };
    "project" drop(2), usual, |token, _| or_dash(token.project.as_ref().map(ToString::to_string));
    "last_used" WHOLE, usual, |token, context| {
        token.last_used_at.map_or_else(|| "never".to_owned(), |at| time::age(at, context.now))
    };
    "expires" WHOLE, usual, |token, _| time::utc(token.expires_at);
    "created" drop(1), usual, |token, _| time::utc(Some(token.created_at));
};

pub(crate) const PROJECTS: &[Column<Project>] = columns! {
    "name" WHOLE, usual, |project, _| project.name.to_string();
    "state" WHOLE, usual, |project, _| {
        if project.is_archived { "archived" } else { "open" }.to_owned()
    };
    "description" either(16, 1), usual, |project, _| or_dash(project.description.clone());
    "created" drop(2), usual, |project, _| time::utc(Some(project.created_at));
};

pub(crate) const MEMBERS: &[Column<Member>] = columns! {
    "email" cut(16), usual, |member, _| member.email.clone();
    "role" WHOLE, usual, |member, _| member.role.to_string();
    "added" drop(1), usual, |member, _| time::utc(Some(member.added_at));
};

/// A server that has a name, or is asked without one.
#[derive(Serialize)]
pub(crate) struct Server {
    pub(crate) name: Option<String>,
    pub(crate) url: String,
    /// Whether it is asked when none is named.
    pub(crate) is_default: bool,
    /// Whether tokens are kept for it.
    pub(crate) is_signed_in: bool,
}

pub(crate) const SERVERS: &[Column<Server>] = columns! {
    "default" WHOLE, usual, |server, _| if server.is_default { "*" } else { "" }.to_owned();
    "name" WHOLE, usual, |server, _| or_dash(server.name.clone());
    "url" WHOLE, usual, |server, _| server.url.clone();
    "signed_in" WHOLE, usual, |server, _| {
        if server.is_signed_in { "yes" } else { "no" }.to_owned()
    };
};
