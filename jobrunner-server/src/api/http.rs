//! What the handlers of all resources need of HTTP: bodies, answers, errors, pages and ranges.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod idempotency;
pub(crate) mod members;
pub(crate) mod page;
pub(crate) mod parameter;
pub(crate) mod problem;
pub(crate) mod range;
pub(crate) mod schema;
pub(crate) mod wrong;
