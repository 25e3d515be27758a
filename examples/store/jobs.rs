//! Jobs and batches, for those who submit them and look at them.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jobrunner_core::{
    Batch, BatchId, Error, Job, JobId, JobSpec, NewBatch, Result, Status, UserId,
    attempt::Attempt,
    batch::{BatchFilter, Counts, RerunOnly},
    insight::{Cause, FAILURES_LOOKED_AT, JOBS_NAMED, Part},
    job::JobFilter,
    log::{LogChunk, LogInfo, LogKey, Stream},
    page::{Page, PageRequest},
    report::{Case, CaseFilter},
    store::{
        BatchOrder, Canceled, Idempotency, JobStore, Specs, Submitted,
        engine::{
            decide::{check_all_ended, check_ended},
            insight::{self, FailureRow, PartRow},
            output, plan,
            tally::{Difference, Marks, Tally},
        },
    },
    user::Scope,
};
use uuid::Uuid;

use crate::{
    Memory,
    state::{State, counts, fresh, submitted},
};

#[async_trait]
impl JobStore for Memory {
    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn submit_job(
        &self,
        owner: UserId,
        spec: JobSpec,
        idempotency: Option<Idempotency>,
    ) -> Result<Submitted<JobId>> {
        let jobs = fresh(vec![spec])?;
        let id = jobs[0].0;
        let mut state = self.lock();
        if let Some(made) = state.done_before(owner, idempotency.as_ref(), id.as_uuid())? {
            return Ok(made);
        }
        let made_at = state.insert_jobs(owner, None, jobs)?;
        submitted(id, made_at)
    }

    async fn submit_batch(&self, order: BatchOrder, jobs: Specs) -> Result<Submitted<BatchId>> {
        let BatchOrder { owner, batch, idempotency } = order;
        let specs: Result<Vec<JobSpec>> = jobs.collect();
        let jobs = specs.and_then(fresh);
        let id = BatchId::new();
        let mut state = self.lock();
        if let (Some(once), Ok(jobs)) = (&idempotency, &jobs)
            && !jobs.is_empty()
            && let Some(made) = state.done_before(owner, Some(once), id.as_uuid())?
        {
            return Ok(made);
        }
        let jobs = jobs?;
        if jobs.is_empty() {
            return Err(Error::invalid("jobs", "must have at least one member"));
        }
        let made_at = state.insert_batch(owner, batch, None, id);
        state.insert_jobs(owner, Some(id), jobs)?;
        submitted(id, made_at)
    }

    async fn rerun_batch(&self, owner: UserId, batch: BatchId, only: RerunOnly) -> Result<BatchId> {
        let mut state = self.lock();
        let before = state.batches.get(&batch).ok_or(Error::NotFound("batch"))?;
        let jobs = fresh(state.repeated(before, only == RerunOnly::All)?)?;
        let again: NewBatch = before.batch.clone();
        let id = BatchId::new();
        state.insert_batch(owner, again, Some(batch), id);
        state.insert_jobs(owner, Some(id), jobs)?;
        Ok(id)
    }

    async fn job(&self, id: JobId, scope: Scope) -> Result<Option<Job>> {
        let state = self.lock();
        let found =
            state.jobs.get(&id).filter(|job| scope.contains(job.owner, job.spec.project.as_ref()));
        found.map(|job| state.job(id, job)).transpose()
    }

    async fn jobs(&self, scope: Scope, filter: &JobFilter, page: PageRequest) -> Result<Page<Job>> {
        self.lock().jobs(scope, filter, page)
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>> {
        let state = self.lock();
        state.jobs.get(&job).map_or_else(|| Ok(Vec::new()), |job| state.attempts(job))
    }

    async fn cases(
        &self,
        job: JobId,
        filter: &CaseFilter,
        page: PageRequest,
    ) -> Result<Page<Case>> {
        self.lock().cases(job, filter, page)
    }

    async fn batch(&self, id: BatchId, scope: Scope) -> Result<Option<Batch>> {
        let state = self.lock();
        let found = state.batches.get(&id).filter(|batch| batch.is_in(&scope));
        found.map(|batch| batch.show(id, &state.past)).transpose()
    }

    async fn batch_names(&self, ids: &[BatchId], scope: Scope) -> Result<HashMap<BatchId, String>> {
        let state = self.lock();
        let name = |id: &BatchId| {
            let batch = state.batches.get(id).filter(|batch| batch.is_in(&scope))?;
            Some((*id, batch.batch.name.clone()))
        };
        Ok(ids.iter().filter_map(name).collect())
    }

    async fn causes(&self, batch: BatchId) -> Result<Vec<Cause>> {
        self.lock().causes(batch)
    }

    async fn timeline(
        &self,
        batch: BatchId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        parts: u32,
    ) -> Result<Vec<Part>> {
        let (from, to) = (from.timestamp_millis(), to.timestamp_millis());
        let (span, count) = ((to - from).max(1), i64::from(parts));
        let part = |at: i64| ((at - from) * count / span).clamp(0, count - 1);
        let state = self.lock();
        let mut rows: BTreeMap<i64, PartRow> = BTreeMap::new();
        let mut at = |part: i64, add: fn(&mut PartRow)| {
            add(rows.entry(part).or_insert(PartRow { part, started: 0, passed: 0, failed: 0 }));
        };
        let members = state.batches.get(&batch).map(|batch| &batch.members);
        for job in members.into_iter().flatten().filter_map(|id| state.jobs.get(id)) {
            for done in &job.attempts {
                at(part(done.started_at), |row| row.started += 1);
                let has_passed = done.end.reason.is_none();
                let add: fn(&mut PartRow) = match has_passed {
                    true => |row| row.passed += 1,
                    false => |row| row.failed += 1,
                };
                at(part(done.finished_at), add);
            }
            if let Some(lease) = job.lease.and_then(|token| state.leases.get(&token)) {
                at(part(lease.claimed_at), |row| row.started += 1);
            }
        }
        insight::parts(rows.into_values().collect(), parts)
    }

    async fn batches(
        &self,
        scope: Scope,
        filter: &BatchFilter,
        page: PageRequest,
    ) -> Result<Page<Batch>> {
        self.lock().batches(scope, filter, page)
    }

    async fn counts(&self, scope: Scope, owner: Option<UserId>) -> Result<Counts> {
        let state = self.lock();
        let whose = plan::counted(scope, owner);
        let is_counted = |owner: &Uuid| {
            whose.is_some_and(|whose| whose.is_none_or(|whose| whose.as_uuid() == *owner))
        };
        let mut sum = Difference::default();
        for (_, by) in state.counts.iter().filter(|(owner, _)| is_counted(owner)) {
            sum.iter_mut().zip(by).for_each(|(sum, by)| *sum += by);
        }
        counts(&sum)
    }

    async fn cancel_job(&self, job: JobId) -> Result<Canceled> {
        let mut state = self.lock();
        if !state.jobs.contains_key(&job) {
            return Err(Error::NotFound("job"));
        }
        let (ended, stopping) = state.cancel(&[job])?;
        Ok(Canceled { ended, stopping })
    }

    async fn cancel_batch(&self, batch: BatchId) -> Result<Canceled> {
        let mut state = self.lock();
        let batch = state.batches.get(&batch).ok_or(Error::NotFound("batch"))?;
        let members: Vec<JobId> = batch.members.iter().copied().collect();
        let (ended, stopping) = state.cancel(&members)?;
        Ok(Canceled { ended, stopping })
    }

    async fn cancel_all(&self, owner: Option<UserId>) -> Result<Canceled> {
        let mut state = self.lock();
        let all = state.jobs.iter().filter(|(_, job)| owner.is_none_or(|it| job.owner == it));
        let all: Vec<JobId> = all.map(|(id, _)| *id).collect();
        let (ended, stopping) = state.cancel(&all)?;
        Ok(Canceled { ended, stopping })
    }

    async fn delete_job(&self, id: JobId) -> Result<()> {
        let mut state = self.lock();
        let job = state.jobs.get(&id).ok_or(Error::NotFound("job"))?;
        let Job { owner_id, batch_id, status, flaky, skipped, .. } = state.job(id, job)?;
        check_ended(status)?;
        let (mut tally, batch) = (Tally::default(), batch_id.map(BatchId::as_uuid));
        tally.add(owner_id.as_uuid(), batch, status, -1);
        tally.marked(batch, Marks { flaky, skipped }, -1);
        state.forget(id);
        state.count(tally)
    }

    async fn delete_batch(&self, id: BatchId) -> Result<()> {
        let mut state = self.lock();
        let batch = state.batches.get(&id).ok_or(Error::NotFound("batch"))?;
        check_all_ended(&counts(&batch.counts)?)?;
        let mut tally = Tally::default();
        for (status, jobs) in Status::ALL.into_iter().zip(batch.counts) {
            tally.add(batch.owner.as_uuid(), None, status, -jobs);
        }
        let members: Vec<JobId> = batch.members.iter().copied().collect();
        members.into_iter().for_each(|job| state.forget(job));
        state.batches.remove(&id);
        state.count(tally)
    }

    async fn log_info(&self, id: JobId, attempt: Option<u32>) -> Result<LogInfo> {
        let state = self.lock();
        let job = state.jobs.get(&id).ok_or(Error::NotFound("job"))?;
        let Some(attempt) = output::chosen(state.attempts(job)?, attempt)? else {
            return Ok(output::nothing(state.standing(job)));
        };
        let row = |stream| {
            let log = job.logs.get(&(attempt.attempt.into(), stream));
            log.map(crate::logs::Log::row).unwrap_or_default()
        };
        output::of_attempt(&attempt, row(Stream::Stdout), row(Stream::Stderr))
    }

    async fn read_log(
        &self,
        key: LogKey,
        stream: Stream,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<LogChunk>> {
        let state = self.lock();
        let job = state.jobs.get(&key.job);
        let log = job.and_then(|job| job.logs.get(&(key.attempt.into(), stream)));
        Ok(log.map(|log| log.read(from, max_bytes)).unwrap_or_default())
    }
}

impl State {
    fn causes(&self, batch: BatchId) -> Result<Vec<Cause>> {
        type Kind<'a> = (Option<&'a str>, Option<i32>, Option<&'a str>, Option<&'a str>);
        let members = self.batches.get(&batch).map(|batch| &batch.members);
        let newest = members.into_iter().flatten().rev();
        let jobs = newest.filter_map(|id| Some((*id, self.jobs.get(id)?)));
        let failed = jobs.filter(|(_, job)| job.status == Status::Failed);
        let mut kinds: BTreeMap<Kind<'_>, Vec<JobId>> = BTreeMap::new();
        for (id, job) in failed.take(FAILURES_LOOKED_AT as usize) {
            let Some(end) = job.attempts.last().map(|done| &done.end) else { continue };
            let kind =
                (end.reason, end.exit_code, end.signal.as_deref(), end.error_line.as_deref());
            kinds.entry(kind).or_default().push(id);
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, jobs)| std::cmp::Reverse(jobs.len()));
        let mut rows = Vec::new();
        for ((reason, exit_code, signal, error_line), jobs) in kinds {
            for id in jobs.iter().take(JOBS_NAMED as usize) {
                rows.push(FailureRow {
                    reason: reason.map(str::to_owned),
                    exit_code,
                    signal: signal.map(str::to_owned),
                    error_line: error_line.map(str::to_owned),
                    alike: i64::try_from(jobs.len()).unwrap_or(i64::MAX),
                    id: id.as_uuid(),
                    name: self.jobs[id].spec.name.clone(),
                });
            }
        }
        insight::causes(rows)
    }
}
