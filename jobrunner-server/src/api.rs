//! The REST API, one file per resource.

pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod batches;
pub(crate) mod body;
pub(crate) mod follow;
pub(crate) mod health;
pub(crate) mod idempotency;
pub(crate) mod jobs;
pub(crate) mod logs;
pub(crate) mod members;
pub(crate) mod model;
pub(crate) mod problem;
pub(crate) mod queues;
pub(crate) mod range;
pub(crate) mod results;
pub(crate) mod users;
pub(crate) mod workers;
pub(crate) mod wrong;

use poem_openapi::Tags;

/// The chapters of the description.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Signing in.
    Auth,
    /// Accounts. All but the caller's own are for admins.
    Users,
    /// Single jobs, members of batches included.
    Jobs,
    /// Jobs that were submitted together and are counted together.
    Batches,
    /// Who runs the jobs.
    Workers,
    /// Who asked for what. For admins.
    Audit,
    /// Whether the service works.
    Health,
}
