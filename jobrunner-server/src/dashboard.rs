//! The dashboard: server-rendered pages over the same [`Service`](jobrunner_core::Service) as the
//! API, with a session of their own in a cookie. Handlers here translate, too: what a caller may
//! see and do is decided in core.

mod accounts;
mod ansi;
mod audit;
mod batch;
mod cases;
mod home;
mod job;
mod jobs;
mod known_issues;
mod lines;
mod links;
mod live;
mod log;
mod members;
mod notifications;
mod output;
mod own_account;
mod page;
mod past;
mod projects;
mod queues;
mod series;
mod session;
mod shell;
mod show;
mod sign_in;
mod sorting;
mod tail;
mod test;
mod tokens;
mod verdict;
mod workers;

use poem::Route;

use crate::methods::{get, post};

/// The pages, to be nested at the root.
pub(crate) fn routes(route: Route) -> Route {
    route
        .at("/", get(home::home))
        .at("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .at("/sign-out", post(sign_in::sign_out))
        .at("/live", get(live::live))
        .at("/batches/:id", get(batch::show))
        .at("/batches/:id/card", get(home::card))
        .at("/batches/:id/members", get(batch::unfold))
        .at("/batches/:id/cancel", post(batch::cancel))
        .at("/batches/:id/rerun", post(batch::rerun))
        .at("/batches/:id/timeline", get(batch::timeline))
        .at("/batches/:id/junit.xml", get(batch::junit))
        .at("/batches/:id/compare/:other", get(verdict::compare))
        .at("/series", get(series::list))
        .at("/series/:id", get(series::show))
        .at("/tests/:id", get(test::show))
        .at("/jobs", get(jobs::list))
        .at("/jobs/:id", get(job::show))
        .at("/jobs/:id/cancel", post(job::cancel))
        .at("/jobs/:id/rerun", post(job::rerun))
        .at("/jobs/:id/log", get(log::live))
        .at("/jobs/:id/raw/:stream", get(log::raw))
        .at("/workers", get(workers::list))
        .at("/workers/:id/drain", post(workers::drain))
        .at("/queues", get(queues::list))
        .at("/queues/:name", post(queues::update))
        .at("/projects", get(projects::list).post(projects::create))
        .at("/projects/:name", get(projects::show).post(projects::update))
        .at("/projects/:name/members", post(projects::set_member))
        .at("/projects/:name/members/:user/remove", post(projects::remove_member))
        .at("/notifications", get(notifications::list).post(notifications::create))
        .at("/notifications/:id", get(notifications::show).post(notifications::update))
        .at("/notifications/:id/test", post(notifications::test))
        .at("/notifications/:id/delete", post(notifications::delete))
        .at("/notifications/:id/deliveries/:delivery/redeliver", post(notifications::redeliver))
        .at("/known-issues", get(known_issues::list).post(known_issues::create))
        .at("/known-issues/:id", get(known_issues::show).post(known_issues::update))
        .at("/known-issues/:id/delete", post(known_issues::delete))
        .at("/audit", get(audit::list))
        .at("/account", get(own_account::show))
        .at("/account/password", post(own_account::change_password))
        .at("/account/tokens", post(tokens::create))
        .at("/account/tokens/:id/delete", post(tokens::delete))
        .at("/users", get(accounts::list).post(accounts::create))
        .at("/users/:id/tokens", get(tokens::of_service).post(tokens::create_for_service))
        .at("/users/:id/tokens/:token/delete", post(tokens::delete_of_service))
        .at("/users/:id", post(accounts::update))
}
