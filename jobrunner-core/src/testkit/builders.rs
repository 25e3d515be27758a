use std::{any::Any, collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Map;

use crate::{
    AuditEventId, BatchId, Job, JobId, JobSpec, Role, SessionId, Status, Store, User, UserId,
    audit::{AuditAction, AuditEvent},
    batch::{Batch, NewBatch},
    job::{JobFilter, Reason},
    lease::{Finish, Finished, LeaseRef, Leased, NewSession, Outcome, Pick},
    page::PageRequest,
    store::{Account, BatchOrder, Specs},
    testkit::wait_until,
    user::Scope,
};

/// An event of the audit.
#[must_use]
pub fn audit_event() -> AuditEvent {
    AuditEvent {
        id: AuditEventId::new(),
        created_at: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap_or_default(),
        actor_id: None,
        actor_email: None,
        action: AuditAction::SignInFailed,
        target_type: None,
        target_id: None,
        target_name: None,
        details: Map::new(),
    }
}

/// A fresh store, and whatever must live as long as it does.
pub struct Fixture {
    /// The store under test; empty.
    pub store: Arc<dyn Store>,
    /// Kept until the test ends: a directory, a server.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    /// A store with what it needs to live.
    pub fn new(store: Arc<dyn Store>, keep: impl Any + Send + Sync) -> Self {
        Self { store, keep: Box::new(keep) }
    }

    /// Stores jobs as a batch.
    pub async fn batch(&self, owner: UserId, specs: Vec<JobSpec>) -> BatchId {
        let order = BatchOrder { owner, batch: new_batch("a batch"), idempotency: None };
        let specs: Specs = Box::new(specs.into_iter().map(Ok));
        self.store.submit_batch(order, specs).await.expect("a stored batch").id
    }

    /// Stores one job.
    pub async fn job(&self, owner: UserId, spec: JobSpec) -> JobId {
        self.store.submit_job(owner, spec, None).await.expect("a stored job").id
    }

    /// A job as it stands.
    pub async fn look(&self, job: JobId) -> Job {
        let found = self.store.job(job, Scope::All).await;
        found.expect("an answer").expect("the job exists")
    }

    /// A batch as it stands.
    pub async fn look_at_batch(&self, batch: BatchId) -> Batch {
        let found = self.store.batch(batch, Scope::All).await;
        found.expect("an answer").expect("the batch exists")
    }

    /// The members of a batch in the order of their submission, up to a thousand.
    pub async fn members(&self, batch: BatchId) -> Vec<Job> {
        let filter = JobFilter { batch: Some(batch), ..JobFilter::default() };
        let page =
            self.store.jobs(Scope::All, &filter, PageRequest::first(1000)).await.expect("a list");
        page.items.into_iter().rev().collect()
    }

    /// A worker with a session that lasts.
    pub async fn hand(&self) -> Hand {
        self.hand_for(Duration::from_secs(600)).await
    }

    /// A worker with a session of a given time to live.
    pub async fn hand_for(&self, ttl: Duration) -> Hand {
        self.hand_on("testkit", ttl).await
    }

    /// A worker on a host of this name, with a session of a given time to live.
    pub async fn hand_on(&self, host: &str, ttl: Duration) -> Hand {
        let session = NewSession {
            id: SessionId::new(),
            host: host.to_owned(),
            pid: 1,
            slots: 4,
            queues: Vec::new(),
            ttl,
            containment: crate::executor::Containment::default(),
        };
        let id = session.id;
        self.store.open_session(session).await.expect("a session");
        Hand { store: Arc::clone(&self.store), session: id }
    }

    /// Asserts that the counts of a batch, and those of its owner if it has no other jobs, equal a
    /// recount of the jobs.
    pub async fn recount(&self, batch: BatchId) {
        let counts = self.look_at_batch(batch).await.counts;
        let members = self.members(batch).await;
        assert_eq!(counts.total, members.len() as u64, "the counts add up to the size");
        for status in Status::ALL {
            let found = members.iter().filter(|job| job.status == status).count() as u64;
            assert_eq!(counts.of(status), found, "the count of {status} equals a recount");
        }
    }
}

/// A worker in miniature: claims and reports at the test's command.
pub struct Hand {
    store: Arc<dyn Store>,
    /// Its session.
    pub session: SessionId,
}

impl Hand {
    /// Claims up to `want` jobs of any queue.
    pub async fn claim(&self, want: u32) -> Vec<Leased> {
        let pick = Pick::Fair { queues: Vec::new(), want };
        self.store.claim(self.session, pick).await.expect("a claim")
    }

    /// The store it works for.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Claims those of the jobs that it may, as a queue would propose them.
    pub async fn propose(&self, jobs: &[JobId]) -> Vec<Leased> {
        self.store.claim(self.session, Pick::Ids(jobs.to_vec())).await.expect("a claim")
    }

    /// Claims one job, as soon as there is one.
    ///
    /// # Panics
    /// There is none for a long time.
    pub async fn start_one(&self) -> Leased {
        wait_until("a job to claim", || async { self.claim(1).await.pop() }).await
    }

    /// What a worker reports of a command without output.
    #[must_use]
    pub fn report(&self, lease: LeaseRef, reason: Option<Reason>) -> Finish {
        Finish {
            lease,
            outcome: outcome(reason),
            stdout_bytes: 0,
            stderr_bytes: 0,
            truncated: false,
            error_line: None,
            output: Vec::new(),
            report: None,
        }
    }

    /// Reports how an attempt ended.
    pub async fn finish(&self, lease: LeaseRef, reason: Option<Reason>) -> Finished {
        let report = self.report(lease, reason);
        self.store.finish(&[report]).await.expect("an answer")[0]
    }

    /// Claims one job and reports its end.
    pub async fn run_one(&self, reason: Option<Reason>) -> LeaseRef {
        let lease = self.start_one().await.lease;
        assert_eq!(self.finish(lease, reason).await, Finished::Won);
        lease
    }
}

/// How a command of 5 ms ended.
#[must_use]
pub fn outcome(reason: Option<Reason>) -> Outcome {
    Outcome {
        reason,
        exit_code: match reason {
            None => Some(0),
            Some(Reason::ExitCode) => Some(3),
            Some(_) => None,
        },
        signal: None,
        error: reason.map(|reason| format!("ended by {}", reason.as_str())),
        duration: Duration::from_millis(5),
    }
}

/// How a command of 5 ms ended that said that it had nothing to do.
#[must_use]
pub fn skip() -> Outcome {
    Outcome { exit_code: Some(77), ..outcome(None) }
}

/// A small job.
#[must_use]
pub fn spec(name: &str) -> JobSpec {
    JobSpec {
        name: name.to_owned(),
        command: vec!["true".to_owned()],
        working_dir: "/".to_owned(),
        env: BTreeMap::new(),
        payload: serde_json::Map::new(),
        project: None,
        queue: "default".to_owned(),
        priority: 5,
        timeout_seconds: 60,
        scheduled_at: None,
        max_attempts: 1,
        retry: None,
        skip_exit_codes: Vec::new(),
        inputs: Vec::new(),
        junit: Vec::new(),
        silence_seconds: None,
        max_output_bytes: None,
        max_memory_mb: None,
        max_open_files: None,
        max_cpu_seconds: None,
        test: None,
        variant: BTreeMap::new(),
        seed: None,
        rerun_of: None,
    }
}

/// A batch without anything special.
#[must_use]
pub fn new_batch(name: &str) -> NewBatch {
    NewBatch { name: name.to_owned(), ..NewBatch::default() }
}

/// An active account whose password nobody knows.
#[must_use]
pub fn account(email: &str, role: Role) -> Account {
    Account {
        user: User {
            id: UserId::new(),
            email: email.to_owned(),
            role,
            is_active: true,
            is_service: false,
            max_running_jobs: None,
            created_at: Utc::now(),
        },
        password_hash: "not a hash".to_owned(),
        token_version: 0,
    }
}
