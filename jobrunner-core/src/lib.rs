//! JobRunner's library: what a job is, how it moves from submission to its one ending, and the four
//! traits behind which the parts can be exchanged.
//!
//! A submitted job is a row in a store; a queue only hints at which row to look at next; a worker
//! leases the row, runs the command and gives the row back finished. The queue proposes, the store
//! decides: a queue may lose or repeat anything, and nothing breaks.
//!
//! # To begin
//!
//! [`Service`] is the one door for callers: it authorizes, validates, stores and hints, in this
//! order.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! use jobrunner_core::{NewJob, Status, config::Settings, connect};
//!
//! let directory = tempfile::tempdir()?;
//! let embedded = connect::embedded(directory.path(), &Settings::default()).await?;
//! embedded.service.create_local_admin("me@example.com").await?;
//! let me = embedded.service.local_admin().await?.expect("the admin that was just made");
//! let command = vec!["true".to_owned()];
//! let job = NewJob { name: "a test".to_owned(), command, ..NewJob::default() };
//! let job = embedded.service.submit_job(&me, job, None).await?;
//! assert_eq!(job.status, Status::Waiting);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
//!
//! Nothing runs that job yet: this crate has no loop of its own. `jobrunner_worker::Runner` puts a
//! service and a worker together in ten lines, and `jobrunner_server::serve` makes a service an API
//! with pages.
//!
//! # What is where
//!
//! | to | see |
//! |---|---|
//! | say what is to be run | [`NewJob`], [`NewBatch`], [`retry`] |
//! | submit, cancel, list, follow | [`Service`] |
//! | tell what is wrong with a request | [`Error`]: sorted by what a caller can do about it; a [`Conflict`] has a kind to match on |
//! | open what settings name | [`connect`]: embedded (SQLite), team (Postgres), fleet (Postgres and Redis) |
//! | make a process of it | `daemon`, with that feature: settings from the environment, a log, signals |
//!
//! # What can be exchanged
//!
//! | trait | answers | here | write your own to |
//! |---|---|---|---|
//! | [`Store`] | what is true: jobs, batches, leases, accounts, the audit | `store::sqlite`, `store::postgres` | keep it in another database; [`store::engine`] decides for every store alike |
//! | [`Queue`] | where to look next; may lose or repeat anything | [`LocalQueue`](queue::LocalQueue), over Postgres or Redis | wake workers by a broker that you have |
//! | [`Executor`] | how a command is run | [`ProcessExecutor`](executor::ProcessExecutor) | run it in a container, on another machine, when there is room |
//! | [`Authz`] | who a caller is, what they may do and see | [`RoleAuthz`](authz::RoleAuthz) | take your own keys and rules |
//!
//! Each has a suite of tests that every implementation passes, in `testkit` (with that feature):
//! `store_conformance!`, `queue_conformance!`, `executor_conformance!` and `authz_conformance!`.
//! The directory `examples` of the repository has one of each.
//!
//! # Features
//!
//! `sqlite` (the default), `postgres` and `redis` are backends, `daemon` is for processes,
//! `testkit` for tests. Without any, all types and traits are there, and what needs no database.

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
pub mod history;
pub mod insight;
pub mod job;
pub mod known_issue;
pub mod lease;
pub mod log;
pub mod notification;
pub mod page;
pub mod project;
pub mod queue;
pub mod report;
pub mod rescue;
pub mod retry;
pub mod series;
pub mod service;
pub mod status;
pub mod store;
pub mod strict;
pub mod terminal;
pub mod user;
pub mod verdict;
pub mod workdir;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use authz::{Authz, Principal};
pub use batch::{Batch, BatchStatus, Counts, NewBatch};
pub use error::{Conflict, Error, Result, Violation};
pub use executor::Executor;
pub use id::{
    AuditEventId, BatchId, DeliveryId, JobId, KnownIssueId, SeriesId, SessionId, SignInId,
    SubscriptionId, TokenId, UserId,
};
pub use job::{Job, JobSpec, NewJob};
pub use project::{Project, ProjectName, ProjectRole};
pub use queue::Queue;
pub use service::Service;
pub use status::Status;
pub use store::Store;
pub use user::{Role, User};
pub use words::UnknownWord;
