use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{Service, audit::Deed};
use crate::{
    Error, JobId, JobSpec, NewJob, Result, UserId,
    audit::AuditAction,
    authz::{Action, Principal},
    batch::Counts,
    job::{Attempt, Job, JobFilter, Order, Rules},
    page::{Page, PageRequest},
    queue::{Hint, Wakeup},
    report::{Case, CaseFilter},
    store::{Idempotency, engine::decide::check_ended},
};

/// How long the file system may take to tell where a path leads. A hung network mount costs one
/// blocked thread, not the request.
const PATH_CHECK_LIMIT: Duration = Duration::from_secs(5);

impl Service {
    /// Takes a job.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden), [`Invalid`](Error::Invalid) with every field that is wrong,
    /// [`Conflict`](Error::Conflict) when the key was used for another request, or
    /// [`Gone`](Error::Gone) when the job that was made with it has been deleted since.
    pub async fn submit_job(
        &self,
        caller: &Principal,
        job: NewJob,
        idempotency: Option<Idempotency>,
    ) -> Result<Job> {
        self.parts.authz.check(caller, Action::Submit)?;
        self.take_job(caller, job, idempotency).await
    }

    async fn take_job(
        &self,
        caller: &Principal,
        job: NewJob,
        idempotency: Option<Idempotency>,
    ) -> Result<Job> {
        let spec = self.parts.rules.check(job).map_err(Error::Invalid)?;
        self.check_place(caller, Action::Submit, spec.project.as_ref()).await?;
        self.submit_checked(caller, spec, idempotency).await
    }

    async fn submit_checked(
        &self,
        caller: &Principal,
        spec: JobSpec,
        idempotency: Option<Idempotency>,
    ) -> Result<Job> {
        let spec = self.check_targets(spec).await?;
        let stored = self.parts.store.submit_job(caller.id, spec.clone(), idempotency).await?;
        let Some(made_at) = stored.made_at else {
            return self.seen_job(caller, stored.id).await.map_err(|error| match error {
                Error::NotFound(_) => Error::gone("job", stored.id),
                other => other,
            });
        };
        self.parts.queue.offer(&[Hint::job(stored.id, caller.id, &spec)]).await;
        self.job_changed(stored.id, None).await;
        Ok(Job::fresh(stored.id, caller.id, spec, made_at))
    }

    /// One job.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for what the caller may not see,
    /// [`Forbidden`](Error::Forbidden).
    pub async fn job(&self, caller: &Principal, id: JobId) -> Result<Job> {
        self.parts.authz.check(caller, Action::Read)?;
        self.seen_job(caller, id).await
    }

    /// A job within the caller's scope, whatever they may do to it.
    async fn seen_job(&self, caller: &Principal, id: JobId) -> Result<Job> {
        let scope = self.parts.authz.scope(caller);
        self.parts.store.job(id, scope).await?.ok_or(Error::NotFound("job"))
    }

    /// Jobs, newest first unless the filter says otherwise.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for another order without a batch.
    pub async fn jobs(
        &self,
        caller: &Principal,
        filter: JobFilter,
        page: PageRequest,
    ) -> Result<Page<Job>> {
        self.parts.authz.check(caller, Action::Read)?;
        if filter.order != Order::Newest && filter.batch.is_none() {
            return Err(Error::invalid("sort", "needs batch_id: it sorts the members of a batch"));
        }
        self.parts.store.jobs(self.parts.authz.scope(caller), &filter, page).await
    }

    /// How the caller's jobs stand; for admins everybody's, or one owner's.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn counts(&self, caller: &Principal, owner: Option<UserId>) -> Result<Counts> {
        self.parts.authz.check(caller, Action::Read)?;
        self.parts.store.counts(self.parts.authz.scope(caller), owner).await
    }

    /// Every start of a job's command, in order.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound).
    pub async fn attempts(&self, caller: &Principal, id: JobId) -> Result<Vec<Attempt>> {
        let job = self.job(caller, id).await?;
        self.parts.store.attempts(job.id).await
    }

    /// The cases of the reports of an attempt, failed ones first.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound).
    pub async fn cases(
        &self,
        caller: &Principal,
        id: JobId,
        filter: &CaseFilter,
        page: PageRequest,
    ) -> Result<Page<Case>> {
        let job = self.job(caller, id).await?;
        self.parts.store.cases(job.id, filter, page).await
    }

    /// Takes a job back: one that waits ends at once, a running one is killed by its worker, one
    /// that has ended stays as it is.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden).
    pub async fn cancel_job(&self, caller: &Principal, id: JobId) -> Result<Job> {
        let job = self.controlled_job(caller, id).await?;
        self.record(caller, Deed::on_job(AuditAction::CancelJob, &job)).await?;
        let canceled = self.parts.store.cancel_job(id).await?;
        if canceled.stopping > 0 {
            self.parts.queue.announce(Wakeup::Cancel).await;
        }
        self.job_changed(id, job.batch_id).await;
        self.seen_job(caller, id).await
    }

    /// Submits the same job again, as a new one of the caller's that says what it repeats.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden), or
    /// [`Invalid`](Error::Invalid) when today's rules no longer allow the job.
    pub async fn rerun_job(&self, caller: &Principal, id: JobId) -> Result<Job> {
        let job = self.controlled_job(caller, id).await?;
        let spec = self.parts.rules.check(job.spec.into()).map_err(Error::Invalid)?;
        self.check_place(caller, Action::Control, spec.project.as_ref()).await?;
        self.submit_checked(caller, spec.again(id), None).await
    }

    /// Forgets a job that has ended.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden),
    /// [`Conflict`](Error::Conflict) while it has not ended.
    pub async fn delete_job(&self, caller: &Principal, id: JobId) -> Result<()> {
        let job = self.controlled_job(caller, id).await?;
        check_ended(job.status)?;
        self.record(caller, Deed::on_job(AuditAction::DeleteJob, &job)).await?;
        self.parts.store.delete_job(id).await?;
        self.job_changed(id, job.batch_id).await;
        Ok(())
    }

    async fn controlled_job(&self, caller: &Principal, id: JobId) -> Result<Job> {
        let job = self.seen_job(caller, id).await?;
        self.parts.authz.check_on(caller, Action::Control, (&job).into())?;
        Ok(job)
    }

    async fn job_changed(&self, job: JobId, batch: Option<crate::BatchId>) {
        self.parts.queue.announce(Wakeup::Changed { job: Some(job), batch }).await;
    }

    /// Follows the links of the job's paths, unless that was done a moment ago: the worker does it
    /// again when it starts the command.
    async fn check_targets(&self, spec: JobSpec) -> Result<JobSpec> {
        let rules = &self.parts.rules;
        if !rules.looks_at_files() || self.paths.are_known(&spec) {
            return Ok(spec);
        }
        let rules = rules.clone();
        let asked = Instant::now();
        let check = move || TargetCheck::new(&rules).check(&spec).map(|()| spec);
        let spec = check_paths(check).await?;
        self.paths.remember(&spec, asked);
        Ok(spec)
    }
}

/// Runs checks that touch the file system off the async threads, for a bounded time.
pub(super) async fn check_paths<T: Send + 'static>(
    check: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match timeout(PATH_CHECK_LIMIT, tokio::task::spawn_blocking(check)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => Err(Error::internal("checking paths", panic)),
        Err(late) => Err(Error::unavailable("the file system under working_dir or inputs", late)),
    }
}

/// Follows the links of the paths that jobs name, each path once.
pub(super) struct TargetCheck<'a> {
    rules: &'a Rules,
    directories: HashSet<String>,
    inputs: HashSet<String>,
}

impl<'a> TargetCheck<'a> {
    pub(super) fn new(rules: &'a Rules) -> Self {
        Self { rules, directories: HashSet::new(), inputs: HashSet::new() }
    }

    /// Fails when a path of the job leads out of the allowed directories, or does not exist though
    /// it must.
    pub(super) fn check(&mut self, spec: &JobSpec) -> Result<()> {
        let Self { rules, directories, inputs } = self;
        once(directories, &spec.working_dir, || {
            check_path(rules, || "working_dir".to_owned(), &spec.working_dir)?;
            if rules.must_exist && !Path::new(&spec.working_dir).is_dir() {
                return Err(Error::invalid("working_dir", "is not a directory"));
            }
            Ok(())
        })?;
        for (index, path) in spec.inputs.iter().enumerate() {
            once(inputs, path, || check_path(rules, || format!("inputs[{index}]"), path))?;
        }
        Ok(())
    }
}

/// Checks a path unless it is among those that passed.
fn once(
    passed: &mut HashSet<String>,
    path: &str,
    check: impl FnOnce() -> Result<()>,
) -> Result<()> {
    const REMEMBERED: usize = 10_000;
    if passed.contains(path) {
        return Ok(());
    }
    check()?;
    if passed.len() < REMEMBERED {
        passed.insert(path.to_owned());
    }
    Ok(())
}

fn check_path(rules: &Rules, field: impl Fn() -> String, path: &str) -> Result<()> {
    let roots = &rules.allowed_roots;
    let checked = match rules.must_exist {
        true => roots.open(Path::new(path)).map(drop),
        false => roots.check_target(path),
    };
    checked.map_err(|message| Error::invalid(field(), message))
}
