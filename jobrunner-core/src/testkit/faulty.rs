//! A store whose answers get lost.

mod known_issues;
mod notifications;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use crate::{
    BatchId, Error, JobId, JobSpec, ProjectName, ProjectRole, Result, SeriesId, SessionId,
    SignInId, Store, TokenId, User, UserId,
    audit::{AuditEvent, AuditFilter},
    authz::SecretDigest,
    batch::{Batch, BatchFilter, Counts, RerunOnly},
    history::{
        NamedTest, Run, RunFilter, Series, SeriesFilter, SeriesTest, TestFilter, TestResult,
    },
    insight::{Cause, Part},
    job::{Attempt, Job, JobFilter},
    lease::{
        Claim, Claimable, Exchanged, Finish, LeaseRef, NewSession, QueueState, QueueUpdate,
        Renewal, Rescue, Rescued, Worker,
    },
    log::{LogChunk, LogInfo, LogKey, Stream, Trim},
    page::{Page, PageRequest},
    project::{Member, Memberships, Project, ProjectUpdate},
    report::{Case, CaseFilter},
    series::TestId,
    store::{
        Account, AccountStore, AccountUpdate, AuditStore, BatchOrder, Canceled, Deleted,
        HistoryStore, Idempotency, JobStore, LeaseStore, ProjectStore, ResultStore, Specs,
        Submitted,
    },
    user::{PersonalToken, Scope},
    verdict::{Class, ClassCounts, ClassifiedTest, Verdict},
};

/// What goes wrong with a call; the caller is told the same either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call does not reach the store.
    Before,
    /// The store does what it is asked to, and the answer is lost.
    After,
}

/// A store in front of another one, where calls fail as planned. What fails is
/// [`Unavailable`](Error::Unavailable), as a database is that went away before or after a commit.
pub struct Faulty {
    inner: Arc<dyn Store>,
    plan: Plan,
}

enum Plan {
    /// The next call of each name.
    Scripted(Mutex<Vec<(&'static str, Fault)>>),
    /// So many of a hundred calls, by a generator.
    Random { state: AtomicU64, percent: u64 },
}

impl Faulty {
    /// Each entry is a method and what goes wrong with the next call of it, once.
    pub fn scripted(
        inner: Arc<dyn Store>,
        faults: impl IntoIterator<Item = (&'static str, Fault)>,
    ) -> Self {
        Self { inner, plan: Plan::Scripted(Mutex::new(faults.into_iter().collect())) }
    }

    /// So many of a hundred calls go wrong, half of them after they were carried out. The same seed
    /// makes the same faults in the same order of calls.
    pub fn random(inner: Arc<dyn Store>, seed: u64, percent: u64) -> Self {
        Self { inner, plan: Plan::Random { state: AtomicU64::new(seed), percent } }
    }

    fn fault(&self, call: &'static str) -> Option<Fault> {
        match &self.plan {
            Plan::Scripted(faults) => {
                let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                let next = faults.iter().position(|(name, _)| *name == call)?;
                Some(faults.remove(next).1)
            }
            Plan::Random { state, percent } => {
                let drawn = mix(state.fetch_add(GOLDEN, Ordering::Relaxed)) % 200;
                match drawn {
                    n if n < *percent => Some(Fault::Before),
                    n if n < 2 * *percent => Some(Fault::After),
                    _ => None,
                }
            }
        }
    }

    async fn through<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let lost = || Err(Error::unavailable("the store", format!("a planned fault of {call}")));
        match self.fault(call) {
            None => work.await,
            Some(Fault::Before) => lost(),
            Some(Fault::After) => work.await.and_then(|_| lost()),
        }
    }
}

/// The step of SplitMix64 (Steele, Lea and Flood, 2014): 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64.
fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[async_trait]
impl JobStore for Faulty {
    async fn ping(&self) -> Result<()> {
        self.through("ping", self.inner.ping()).await
    }

    async fn submit_job(
        &self,
        owner: UserId,
        spec: JobSpec,
        idempotency: Option<Idempotency>,
    ) -> Result<Submitted<JobId>> {
        self.through("submit_job", self.inner.submit_job(owner, spec, idempotency)).await
    }

    async fn submit_batch(&self, order: BatchOrder, jobs: Specs) -> Result<Submitted<BatchId>> {
        self.through("submit_batch", self.inner.submit_batch(order, jobs)).await
    }

    async fn rerun_batch(&self, owner: UserId, batch: BatchId, only: RerunOnly) -> Result<BatchId> {
        self.through("rerun_batch", self.inner.rerun_batch(owner, batch, only)).await
    }

    async fn job(&self, id: JobId, scope: Scope) -> Result<Option<Job>> {
        self.through("job", self.inner.job(id, scope)).await
    }

    async fn jobs(&self, scope: Scope, filter: &JobFilter, page: PageRequest) -> Result<Page<Job>> {
        self.through("jobs", self.inner.jobs(scope, filter, page)).await
    }

    async fn causes(&self, batch: BatchId) -> Result<Vec<Cause>> {
        self.through("causes", self.inner.causes(batch)).await
    }

    async fn timeline(
        &self,
        batch: BatchId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        parts: u32,
    ) -> Result<Vec<Part>> {
        self.through("timeline", self.inner.timeline(batch, from, to, parts)).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>> {
        self.through("attempts", self.inner.attempts(job)).await
    }

    async fn cases(
        &self,
        job: JobId,
        filter: &CaseFilter,
        page: PageRequest,
    ) -> Result<Page<Case>> {
        self.through("cases", self.inner.cases(job, filter, page)).await
    }

    async fn batch(&self, id: BatchId, scope: Scope) -> Result<Option<Batch>> {
        self.through("batch", self.inner.batch(id, scope)).await
    }

    async fn batch_names(&self, ids: &[BatchId], scope: Scope) -> Result<HashMap<BatchId, String>> {
        self.through("batch_names", self.inner.batch_names(ids, scope)).await
    }

    async fn batches(
        &self,
        scope: Scope,
        filter: &BatchFilter,
        page: PageRequest,
    ) -> Result<Page<Batch>> {
        self.through("batches", self.inner.batches(scope, filter, page)).await
    }

    async fn counts(&self, scope: Scope, owner: Option<UserId>) -> Result<Counts> {
        self.through("counts", self.inner.counts(scope, owner)).await
    }

    async fn cancel_job(&self, job: JobId) -> Result<Canceled> {
        self.through("cancel_job", self.inner.cancel_job(job)).await
    }

    async fn cancel_batch(&self, batch: BatchId) -> Result<Canceled> {
        self.through("cancel_batch", self.inner.cancel_batch(batch)).await
    }

    async fn cancel_all(&self, owner: Option<UserId>) -> Result<Canceled> {
        self.through("cancel_all", self.inner.cancel_all(owner)).await
    }

    async fn delete_job(&self, job: JobId) -> Result<()> {
        self.through("delete_job", self.inner.delete_job(job)).await
    }

    async fn delete_batch(&self, batch: BatchId) -> Result<()> {
        self.through("delete_batch", self.inner.delete_batch(batch)).await
    }

    async fn log_info(&self, job: JobId, attempt: Option<u32>) -> Result<LogInfo> {
        self.through("log_info", self.inner.log_info(job, attempt)).await
    }

    async fn read_log(
        &self,
        key: LogKey,
        stream: Stream,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<LogChunk>> {
        self.through("read_log", self.inner.read_log(key, stream, from, max_bytes)).await
    }
}

#[async_trait]
impl LeaseStore for Faulty {
    async fn open_session(&self, session: NewSession) -> Result<()> {
        self.through("open_session", self.inner.open_session(session)).await
    }

    async fn renew(&self, session: SessionId, held: &[LeaseRef]) -> Result<Renewal> {
        self.through("renew", self.inner.renew(session, held)).await
    }

    async fn close_session(&self, session: SessionId) -> Result<Vec<Rescued>> {
        self.through("close_session", self.inner.close_session(session)).await
    }

    async fn queue(&self, name: &str) -> Result<Option<QueueState>> {
        self.through("queue", self.inner.queue(name)).await
    }

    async fn queues(&self, after: Option<&str>, limit: u32) -> Result<Vec<QueueState>> {
        self.through("queues", self.inner.queues(after, limit)).await
    }

    async fn update_queue(&self, name: &str, update: QueueUpdate) -> Result<()> {
        self.through("update_queue", self.inner.update_queue(name, update)).await
    }

    async fn weigh_owner(&self, owner: UserId, weight: f64) -> Result<()> {
        self.through("weigh_owner", self.inner.weigh_owner(owner, weight)).await
    }

    async fn forget_queues(&self, unused: Duration) -> Result<u64> {
        self.through("forget_queues", self.inner.forget_queues(unused)).await
    }

    async fn workers(&self) -> Result<Vec<Worker>> {
        self.through("workers", self.inner.workers()).await
    }

    async fn drain(&self, session: SessionId) -> Result<()> {
        self.through("drain", self.inner.drain(session)).await
    }

    /// Planned as `claim` without reports, and as `finish` without a claim.
    async fn exchange(&self, reports: &[Finish], next: Option<Claim>) -> Result<Exchanged> {
        let call = match &next {
            Some(_) if reports.is_empty() => "claim",
            Some(_) => "exchange",
            None => "finish",
        };
        self.through(call, self.inner.exchange(reports, next)).await
    }

    fn claimable(&self, of: Option<BatchId>) -> BoxStream<'_, Result<Vec<Claimable>>> {
        self.inner.claimable(of)
    }

    async fn release(&self, leases: &[LeaseRef]) -> Result<()> {
        self.through("release", self.inner.release(leases)).await
    }

    async fn append_log(
        &self,
        lease: LeaseRef,
        chunks: &[LogChunk],
        trim: &[Trim],
    ) -> Result<bool> {
        self.through("append_log", self.inner.append_log(lease, chunks, trim)).await
    }

    async fn rescue(&self, which: Rescue) -> Result<Vec<Rescued>> {
        self.through("rescue", self.inner.rescue(which)).await
    }
}

#[async_trait]
impl AccountStore for Faulty {
    async fn create_account(&self, account: Account) -> Result<()> {
        self.through("create_account", self.inner.create_account(account)).await
    }

    async fn create_first_account(&self, account: Account) -> Result<bool> {
        self.through("create_first_account", self.inner.create_first_account(account)).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>> {
        self.through("account", self.inner.account(id)).await
    }

    async fn signed_in_account(
        &self,
        id: UserId,
        sign_in: SignInId,
        version: i64,
    ) -> Result<Option<Account>> {
        let found = self.inner.signed_in_account(id, sign_in, version);
        self.through("signed_in_account", found).await
    }

    async fn end_sign_in(&self, sign_in: SignInId, until: DateTime<Utc>) -> Result<()> {
        self.through("end_sign_in", self.inner.end_sign_in(sign_in, until)).await
    }

    async fn use_refresh_token(
        &self,
        sign_in: SignInId,
        uses: u32,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let used = self.inner.use_refresh_token(sign_in, uses, until);
        self.through("use_refresh_token", used).await
    }

    async fn account_by_email(&self, email: &str) -> Result<Option<Account>> {
        self.through("account_by_email", self.inner.account_by_email(email)).await
    }

    async fn users(&self, page: PageRequest) -> Result<Page<User>> {
        self.through("users", self.inner.users(page)).await
    }

    async fn update_account(&self, id: UserId, update: AccountUpdate) -> Result<User> {
        self.through("update_account", self.inner.update_account(id, update)).await
    }

    async fn create_token(&self, token: PersonalToken, digest: SecretDigest) -> Result<()> {
        self.through("create_token", self.inner.create_token(token, digest)).await
    }

    async fn token_by_secret(&self, digest: SecretDigest) -> Result<Option<PersonalToken>> {
        self.through("token_by_secret", self.inner.token_by_secret(digest)).await
    }

    async fn token(&self, id: TokenId) -> Result<Option<PersonalToken>> {
        self.through("token", self.inner.token(id)).await
    }

    async fn tokens(&self, owner: UserId, page: PageRequest) -> Result<Page<PersonalToken>> {
        self.through("tokens", self.inner.tokens(owner, page)).await
    }

    async fn delete_token(&self, id: TokenId) -> Result<()> {
        self.through("delete_token", self.inner.delete_token(id)).await
    }

    async fn token_used(&self, id: TokenId, at: DateTime<Utc>) -> Result<()> {
        self.through("token_used", self.inner.token_used(id, at)).await
    }
}

#[async_trait]
impl ResultStore for Faulty {
    async fn verdict(&self, batch: BatchId) -> Result<Option<Verdict>> {
        self.through("verdict", self.inner.verdict(batch)).await
    }

    async fn classified(
        &self,
        batch: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        self.through("classified", self.inner.classified(batch, class, page)).await
    }

    async fn forget_results(&self, days: u32) -> Result<u64> {
        self.through("forget_results", self.inner.forget_results(days)).await
    }
}

#[async_trait]
impl HistoryStore for Faulty {
    async fn series_list(
        &self,
        scope: Scope,
        filter: &SeriesFilter,
        page: PageRequest,
    ) -> Result<Page<Series>> {
        self.through("series_list", self.inner.series_list(scope, filter, page)).await
    }

    async fn series(&self, id: SeriesId, scope: Scope) -> Result<Option<Series>> {
        self.through("series", self.inner.series(id, scope)).await
    }

    async fn test(&self, id: TestId, scope: Scope) -> Result<Option<(Series, NamedTest)>> {
        self.through("test", self.inner.test(id, scope)).await
    }

    async fn runs(&self, series: u64, filter: &RunFilter, page: PageRequest) -> Result<Page<Run>> {
        self.through("runs", self.inner.runs(series, filter, page)).await
    }

    async fn tests(
        &self,
        series: u64,
        runs: &[u64],
        filter: &TestFilter,
        page: PageRequest,
    ) -> Result<Page<SeriesTest>> {
        self.through("tests", self.inner.tests(series, runs, filter, page)).await
    }

    async fn suspects(
        &self,
        series: u64,
        runs: &[u64],
        filter: &TestFilter,
        limit: u32,
    ) -> Result<Vec<NamedTest>> {
        self.through("suspects", self.inner.suspects(series, runs, filter, limit)).await
    }

    async fn outcomes(
        &self,
        series: u64,
        runs: &[u64],
        tests: &[TestId],
    ) -> Result<Vec<TestResult>> {
        self.through("outcomes", self.inner.outcomes(series, runs, tests)).await
    }

    async fn results(&self, test: TestId, page: PageRequest) -> Result<Page<TestResult>> {
        self.through("results", self.inner.results(test, page)).await
    }

    async fn compare(&self, batch: BatchId, other: BatchId) -> Result<Option<ClassCounts>> {
        self.through("compare", self.inner.compare(batch, other)).await
    }

    async fn compared(
        &self,
        batch: BatchId,
        other: BatchId,
        class: Class,
        page: PageRequest,
    ) -> Result<Page<ClassifiedTest>> {
        self.through("compared", self.inner.compared(batch, other, class, page)).await
    }
}

#[async_trait]
impl ProjectStore for Faulty {
    async fn create_project(&self, project: Project, maintainer: UserId) -> Result<()> {
        self.through("create_project", self.inner.create_project(project, maintainer)).await
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Project>> {
        self.through("project", self.inner.project(name)).await
    }

    async fn projects(
        &self,
        of: Option<UserId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Project>> {
        self.through("projects", self.inner.projects(of, after, limit)).await
    }

    async fn update_project(&self, name: &ProjectName, update: ProjectUpdate) -> Result<Project> {
        self.through("update_project", self.inner.update_project(name, update)).await
    }

    async fn delete_project(&self, name: &ProjectName) -> Result<Deleted> {
        self.through("delete_project", self.inner.delete_project(name)).await
    }

    async fn members(&self, name: &ProjectName, page: PageRequest) -> Result<Page<Member>> {
        self.through("members", self.inner.members(name, page)).await
    }

    async fn set_member(
        &self,
        name: &ProjectName,
        user: UserId,
        role: ProjectRole,
    ) -> Result<Option<ProjectRole>> {
        self.through("set_member", self.inner.set_member(name, user, role)).await
    }

    async fn remove_member(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>> {
        self.through("remove_member", self.inner.remove_member(name, user)).await
    }

    async fn member_role(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>> {
        self.through("member_role", self.inner.member_role(name, user)).await
    }

    async fn memberships(&self, user: UserId) -> Result<Memberships> {
        self.through("memberships", self.inner.memberships(user)).await
    }
}

#[async_trait]
impl AuditStore for Faulty {
    async fn record(&self, event: AuditEvent) -> Result<()> {
        self.through("record", self.inner.record(event)).await
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEvent>> {
        self.through("audit_events", self.inner.audit_events(filter, page)).await
    }
}
