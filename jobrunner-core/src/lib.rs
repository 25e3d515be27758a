//! JobRunner's library: what a job is, how it moves from submission to its one ending, and the four
//! traits behind which the parts can be exchanged.
//!
//! | trait | answers | here |
//! |---|---|---|
//! | [`Store`] | what is true: jobs, batches, leases, accounts, the audit | [`store::sqlite::SqliteStore`] |
//! | [`Queue`] | where to look next; may lose or repeat anything | [`queue::LocalQueue`] |
//! | [`Executor`] | how a command is run | [`executor::ProcessExecutor`] |
//! | [`Authz`] | who may do what | [`authz::RoleAuthz`] |
//!
//! A submitted job is a row in the store; a queue only hints at which row to look at next; a worker
//! leases the row, runs the command and gives the row back finished. [`Service`] is the one door
//! for callers: it authorizes, validates, stores and hints, in this order.

mod id;
mod name;
mod words;

pub mod attempt;
pub mod audit;
pub mod authz;
pub mod batch;
pub mod config;
pub mod connect;
#[cfg(feature = "daemon")]
pub mod daemon;
pub mod error;
pub mod error_line;
pub mod executor;
pub mod insight;
pub mod job;
pub mod lease;
pub mod log;
pub mod page;
pub mod queue;
pub mod rescue;
pub mod retry;
pub mod service;
pub mod status;
pub mod store;
pub mod strict;
pub mod terminal;
pub mod user;
pub mod workdir;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use authz::{Authz, Principal};
pub use batch::{Batch, BatchStatus, Counts, NewBatch};
pub use error::{Error, Result, Violation};
pub use executor::Executor;
pub use id::{AuditEventId, BatchId, JobId, SessionId, SignInId, TokenId, UserId};
pub use job::{Job, JobSpec, NewJob};
pub use queue::Queue;
pub use service::Service;
pub use status::Status;
pub use store::Store;
pub use user::{Role, User};
pub use words::UnknownWord;
