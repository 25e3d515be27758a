//! The one door for callers: every request is authorized, validated, recorded for the audit, stored
//! and hinted here, in this order. Servers and embedders translate to and from these calls and add
//! no policy of their own.

mod accounts;
mod audit;
mod batches;
mod follow;
mod history;
mod holds;
mod ids;
mod insights;
mod jobs;
mod known_issues;
mod logs;
mod notifications;
mod open;
mod ordered;
mod own_account;
mod paths;
mod place;
mod projects;
mod queues;
mod sign_in;
mod tokens;
mod verdicts;
mod watch;

use std::sync::Arc;

pub use batches::JobSource;
pub use ids::{IdPart, NoPart};
pub use logs::{JobLogs, LogReader};
pub use open::Whose;
pub use ordered::OrderedLog;
pub use place::{Followed, FollowedTo, LogPlace};
pub use watch::Watched;

use audit::Deed;

use crate::{
    Authz, Error, Queue, Result, SessionId, Store,
    audit::AuditAction,
    authz::{Action, Passwords, Principal, TokenKey},
    job::Rules,
    lease::Worker,
    queue::{Link, Wakeup},
};

/// What a [`Service`] is made of.
pub struct Parts {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The hints.
    pub queue: Arc<dyn Queue>,
    /// Who may do what.
    pub authz: Arc<dyn Authz>,
    /// Signs tokens.
    pub tokens: TokenKey,
    /// Hashes the passwords of new accounts.
    pub passwords: Passwords,
    /// What jobs may ask for.
    pub rules: Rules,
}

/// Everything a caller can do. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    parts: Arc<Parts>,
    hub: Arc<watch::Hub>,
    insights: Arc<insights::Insights>,
    refusals: Arc<audit::Refusals>,
    paths: Arc<paths::Paths>,
}

/// Whether the parts answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The store does.
    pub database: bool,
    /// What the queue depends on besides the store.
    pub queue: Link,
}

impl Service {
    /// A service out of its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            hub: Arc::default(),
            insights: Arc::default(),
            refusals: Arc::default(),
            paths: Arc::default(),
        }
    }

    /// Whether the parts answer; never fails.
    pub async fn health(&self) -> Health {
        let (answer, queue) = tokio::join!(self.parts.store.ping(), self.parts.queue.link());
        if let Err(error) = &answer {
            tracing::warn!(error = error as &dyn std::error::Error, "the store does not answer");
        }
        Health { database: answer.is_ok(), queue }
    }

    /// The workers that are alive.
    ///
    /// # Errors
    /// [`Forbidden`](crate::Error::Forbidden) for viewers.
    pub async fn workers(&self, caller: &Principal) -> Result<Vec<Worker>> {
        self.parts.authz.check(caller, Action::SeeWorkers)?;
        self.parts.store.workers().await
    }

    /// Tells a worker to take no new jobs; it hears of it within two seconds, and what it runs goes
    /// on. The worker stays in the list until somebody stops its process.
    ///
    /// # Errors
    /// [`Forbidden`](crate::Error::Forbidden) unless the caller is an admin,
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn drain_worker(&self, caller: &Principal, worker: SessionId) -> Result<Worker> {
        self.parts.authz.check(caller, Action::Administer)?;
        let found = self.worker(worker).await?;
        self.record(caller, Deed::on_worker(AuditAction::DrainWorker, &found)).await?;
        self.parts.store.drain(worker).await?;
        self.worker(worker).await
    }

    async fn worker(&self, id: SessionId) -> Result<Worker> {
        let workers = self.parts.store.workers().await?;
        workers.into_iter().find(|found| found.id == id).ok_or(Error::NotFound("worker"))
    }

    /// Announcements of changes, for whoever shows them live. They carry no content: look again.
    #[must_use]
    pub fn changes(&self) -> futures_util::stream::BoxStream<'static, Wakeup> {
        self.parts.queue.wakeups()
    }
}
