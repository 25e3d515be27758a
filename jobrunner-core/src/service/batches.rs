use std::{collections::HashMap, sync::Arc};

use super::{
    Service,
    audit::Deed,
    jobs::{TargetCheck, check_paths},
};
use crate::{
    BatchId, Error, JobSpec, NewJob, ProjectName, Result, Violation,
    audit::AuditAction,
    authz::{Action, Principal},
    batch::{Batch, BatchFilter, NewBatch, RerunOnly},
    job::{Job, JobFilter, Rules},
    page::{Page, PageRequest},
    queue::{Hint, Wakeup},
    store::{BatchOrder, Idempotency, Specs, engine::decide::check_all_ended},
};

/// The most broken rules that one answer lists.
const MAX_VIOLATIONS: usize = 20;

/// The members of a batch to be submitted. They are read twice, first to check all of them and then
/// to store them, so that a large batch need not be in memory as parsed jobs.
pub trait JobSource: Send + Sync + 'static {
    /// How many jobs there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The job at `index`, which is below [`len`](Self::len).
    ///
    /// # Errors
    /// It is not a job; the fields are relative to it.
    fn job(&self, index: usize) -> Result<NewJob, Vec<Violation>>;
}

impl JobSource for Vec<NewJob> {
    fn len(&self) -> usize {
        self.len()
    }

    fn job(&self, index: usize) -> Result<NewJob, Vec<Violation>> {
        Ok(self[index].clone())
    }
}

impl Service {
    /// Takes a batch: all of its jobs or none.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden), [`Invalid`](Error::Invalid) with the fields that are wrong
    /// (`jobs[17].command`, at most 20 of them), [`Conflict`](Error::Conflict) when the key was
    /// used for another request, or [`Gone`](Error::Gone) when the batch that was made with it has
    /// been deleted since.
    pub async fn submit_batch(
        &self,
        caller: &Principal,
        batch: NewBatch,
        jobs: Arc<dyn JobSource>,
        idempotency: Option<Idempotency>,
    ) -> Result<Batch> {
        self.check_place(caller, Action::Submit, batch.project.as_ref()).await?;
        self.check_baseline(caller, &batch.baseline).await?;
        NewBatch::check_size(jobs.len()).map_err(|v| Error::Invalid(vec![v]))?;
        let (rules, members) = (self.parts.rules.clone(), Arc::clone(&jobs));
        let mut wrong = batch.violations();
        let project = batch.project.clone();
        let of_batch = project.clone();
        check_paths(move || {
            check_members(&rules, members.as_ref(), of_batch.as_ref(), &mut wrong);
            if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
        })
        .await?;

        let order = BatchOrder { owner: caller.id, batch, idempotency };
        let specs = specs(self.parts.rules.clone(), jobs, project);
        let submitted = self.parts.store.submit_batch(order, specs).await?;
        if submitted.made_at.is_some() {
            self.parts.queue.offer(&[Hint::Batch(submitted.id)]).await;
            self.batch_changed(submitted.id).await;
        }
        self.seen_batch(caller, submitted.id).await.map_err(|error| match error {
            Error::NotFound(_) if submitted.made_at.is_none() => Error::gone("batch", submitted.id),
            other => other,
        })
    }

    /// One batch.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for what the caller may not see,
    /// [`Forbidden`](Error::Forbidden).
    pub async fn batch(&self, caller: &Principal, id: BatchId) -> Result<Batch> {
        self.parts.authz.check(caller, Action::Read)?;
        self.seen_batch(caller, id).await
    }

    /// A batch within the caller's scope, whatever they may do to it.
    pub(super) async fn seen_batch(&self, caller: &Principal, id: BatchId) -> Result<Batch> {
        let scope = self.parts.authz.scope(caller);
        self.parts.store.batch(id, scope).await?.ok_or(Error::NotFound("batch"))
    }

    /// The names of the batches that these jobs are members of.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn batch_names(
        &self,
        caller: &Principal,
        jobs: &[Job],
    ) -> Result<HashMap<BatchId, String>> {
        self.parts.authz.check(caller, Action::Read)?;
        let mut ids: Vec<BatchId> = jobs.iter().filter_map(|job| job.batch_id).collect();
        ids.sort_unstable();
        ids.dedup();
        self.parts.store.batch_names(&ids, self.parts.authz.scope(caller)).await
    }

    /// Batches, newest first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn batches(
        &self,
        caller: &Principal,
        filter: BatchFilter,
        page: PageRequest,
    ) -> Result<Page<Batch>> {
        self.parts.authz.check(caller, Action::Read)?;
        self.parts.store.batches(self.parts.authz.scope(caller), &filter, page).await
    }

    /// The jobs of the batch that the filter names, newest first unless it says otherwise.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) when the filter names no batch that the caller may see.
    pub async fn members(
        &self,
        caller: &Principal,
        filter: JobFilter,
        page: PageRequest,
    ) -> Result<Page<Job>> {
        let id = filter.batch.ok_or(Error::NotFound("batch"))?;
        self.batch(caller, id).await?;
        self.jobs(caller, filter, page).await
    }

    /// Takes every job of a batch back that has not ended.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden).
    pub async fn cancel_batch(&self, caller: &Principal, id: BatchId) -> Result<Batch> {
        let batch = self.controlled_batch(caller, id).await?;
        self.record(caller, Deed::on_batch(AuditAction::CancelBatch, &batch)).await?;
        let canceled = self.parts.store.cancel_batch(id).await?;
        if canceled.stopping > 0 {
            self.parts.queue.announce(Wakeup::Cancel).await;
        }
        self.batch_changed(id).await;
        self.seen_batch(caller, id).await
    }

    /// Submits members of a batch again, as a new batch of the caller's.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden), or
    /// [`Conflict`](Error::Conflict) when no member is to be repeated.
    pub async fn rerun_batch(
        &self,
        caller: &Principal,
        id: BatchId,
        only: RerunOnly,
    ) -> Result<Batch> {
        let batch = self.controlled_batch(caller, id).await?;
        self.check_place(caller, Action::Control, batch.project.as_ref()).await?;
        let deed = Deed::on_batch(AuditAction::RerunBatch, &batch).with("only", only.to_string());
        self.record(caller, deed).await?;
        let rerun = self.parts.store.rerun_batch(caller.id, id, only).await?;
        self.parts.queue.offer(&[Hint::Batch(rerun)]).await;
        self.batch_changed(rerun).await;
        self.seen_batch(caller, rerun).await
    }

    /// Forgets a batch that has ended, with its jobs.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden),
    /// [`Conflict`](Error::Conflict) while one of its jobs has not ended.
    pub async fn delete_batch(&self, caller: &Principal, id: BatchId) -> Result<()> {
        let batch = self.controlled_batch(caller, id).await?;
        check_all_ended(&batch.counts)?;
        self.record(caller, Deed::on_batch(AuditAction::DeleteBatch, &batch)).await?;
        self.parts.store.delete_batch(id).await?;
        self.batch_changed(id).await;
        Ok(())
    }

    async fn controlled_batch(&self, caller: &Principal, id: BatchId) -> Result<Batch> {
        let batch = self.seen_batch(caller, id).await?;
        self.parts.authz.check_on(caller, Action::Control, (&batch).into())?;
        Ok(batch)
    }

    async fn batch_changed(&self, batch: BatchId) {
        self.parts.queue.announce(Wakeup::Changed { job: None, batch: Some(batch) }).await;
    }
}

fn check_members(
    rules: &Rules,
    jobs: &dyn JobSource,
    project: Option<&ProjectName>,
    wrong: &mut Vec<Violation>,
) {
    let mut targets = TargetCheck::new(rules);
    for index in 0..jobs.len() {
        let checked = jobs.job(index).and_then(|job| rules.check(job)).map_err(Error::Invalid);
        if let Some(own) = checked.as_ref().ok().and_then(|spec| spec.project.as_ref())
            && Some(own) != project
        {
            let message = format!("must be {own}, too, since jobs[{index}] names it");
            wrong.push(Violation::new("project", message));
        }
        if let Err(Error::Invalid(violations)) = checked.and_then(|spec| targets.check(&spec)) {
            let parent = format!("jobs[{index}]");
            wrong.extend(violations.into_iter().map(|violation| violation.within(&parent)));
        }
        if wrong.len() >= MAX_VIOLATIONS {
            wrong.truncate(MAX_VIOLATIONS);
            return;
        }
    }
}

/// The second reading: the jobs were all found right, so a failure here is reported but not named.
fn specs(rules: Rules, jobs: Arc<dyn JobSource>, project: Option<ProjectName>) -> Specs {
    Box::new((0..jobs.len()).map(move |index| {
        let spec = jobs.job(index).and_then(|job| rules.check(job)).map_err(Error::Invalid)?;
        Ok(JobSpec { project: project.clone(), ..spec })
    }))
}
