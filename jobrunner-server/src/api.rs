//! The REST API: one file per resource here, what all of them need in [`http`], and the shapes of
//! requests and answers in [`model`].

pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod batches;
pub(crate) mod document;
pub(crate) mod follow;
pub(crate) mod health;
pub(crate) mod history;
mod http;
pub(crate) mod jobs;
pub(crate) mod known_issues;
pub(crate) mod logs;
pub(crate) mod model;
pub(crate) mod notifications;
pub(crate) mod projects;
pub(crate) mod queues;
pub(crate) mod results;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod verdicts;
pub(crate) mod workers;

use poem_openapi::Tags;

pub(crate) use self::http::{problem, wrong};

/// The chapters of the description.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Signing in.
    Auth,
    /// Accounts. All but the caller's own are for admins.
    Users,
    /// Personal access tokens, for programs.
    Tokens,
    /// Who is told of what becomes of batches.
    Notifications,
    /// What several accounts share: its members see what belongs to it.
    Projects,
    /// Single jobs, members of batches included.
    Jobs,
    /// Jobs that were submitted together and are counted together.
    Batches,
    /// Failures that somebody has looked at, and that fail no gate for a while.
    KnownIssues,
    /// What became of tests from run to run.
    History,
    /// Who runs the jobs.
    Workers,
    /// Who asked for what. For admins.
    Audit,
    /// Whether the service works.
    Health,
}
