use chrono::{DateTime, TimeDelta, Utc};

use super::Service;
use crate::{
    Batch, Job, Result, Status, UserId,
    attempt::Attempt,
    authz::{Action, Principal},
    job::{Hold, Reason},
    lease::Worker,
    retry::{SUSPECT_AFTER, is_of_the_worker},
    user::Scope,
};

impl Service {
    /// Why a job that the caller sees is not started, what lasts longest first; its turn, when
    /// there is no other reason. Nothing unless it waits.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn holds(&self, caller: &Principal, job: &Job) -> Result<Vec<Hold>> {
        if job.status != Status::Waiting {
            return Ok(Vec::new());
        }
        let mut holds = self.holds_of_owner(job.owner_id).await?;
        let queue = &job.spec.queue;
        let state = self.parts.store.queue(queue).await?;
        if state.as_ref().is_some_and(|state| state.paused) {
            holds.push(Hold::queue_paused(queue));
        }
        let workers = self.parts.store.workers().await?;
        let slots = slots_for(queue, &workers);
        if slots == 0 {
            holds.push(no_worker(queue, &workers));
        }
        holds.extend(self.later(job).await?);
        if holds.is_empty() {
            let may_know = self.parts.authz.check(caller, Action::SeeWorkers).is_ok();
            let waiting = state.filter(|_| may_know).map(|state| state.waiting);
            holds.push(Hold::turn(queue, slots, waiting));
        }
        Ok(holds)
    }

    /// Why no member of a batch that the caller sees is started, whatever its queue; nothing unless
    /// some wait.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn batch_holds(&self, batch: &Batch) -> Result<Vec<Hold>> {
        match batch.counts.waiting {
            0 => Ok(Vec::new()),
            _ => self.holds_of_owner(batch.owner_id).await,
        }
    }

    async fn holds_of_owner(&self, owner: UserId) -> Result<Vec<Hold>> {
        let Some(account) = self.parts.store.account(owner).await? else { return Ok(Vec::new()) };
        let mut holds = Vec::new();
        if !account.user.is_active {
            holds.push(Hold::owner_disabled());
        }
        if let Some(limit) = account.user.max_running_jobs {
            let counts = self.parts.store.counts(Scope::All, Some(owner)).await?;
            if counts.running >= u64::from(limit) {
                holds.push(Hold::account_limit(limit));
            }
        }
        Ok(holds)
    }

    /// Why the job may not start yet whoever else waits: the time before which it may not, if it is
    /// still to come, or that it runs after all others.
    async fn later(&self, job: &Job) -> Result<Option<Hold>> {
        let now = Utc::now();
        if job.attempt == 0 {
            let at = job.spec.scheduled_at.filter(|at| *at > now);
            return Ok(at.map(Hold::scheduled));
        }
        let attempts = self.parts.store.attempts(job.id).await?;
        let lost = attempts.iter().filter(|attempt| is_lost(attempt)).count();
        if lost >= SUSPECT_AFTER as usize {
            return Ok(Some(Hold::suspect(lost)));
        }
        let until = next_attempt_at(job, &attempts).filter(|until| *until > now);
        Ok(until.map(|until| Hold::retry_delay(job.attempt, until)))
    }
}

fn is_lost(attempt: &Attempt) -> bool {
    attempt.result.as_ref().and_then(|result| result.reason) == Some(Reason::WorkerLost)
}

/// When the pause after the last attempt ends.
fn next_attempt_at(job: &Job, attempts: &[Attempt]) -> Option<DateTime<Utc>> {
    let retry = job.spec.retry.as_ref()?;
    let is_charged = |attempt: &&Attempt| {
        let reason = attempt.result.as_ref().and_then(|result| result.reason);
        !reason.is_some_and(is_of_the_worker)
    };
    let last = attempts.last().filter(is_charged)?;
    let runs = u32::try_from(attempts.iter().filter(is_charged).count()).ok()?;
    Some(last.finished_at? + TimeDelta::from_std(retry.delay(runs)).ok()?)
}

/// How many slots there are for the jobs of a queue.
fn slots_for(queue: &str, workers: &[Worker]) -> u64 {
    let takes = |worker: &&Worker| !worker.draining && serves(worker, queue);
    workers.iter().filter(takes).map(|worker| u64::from(worker.slots)).sum()
}

fn no_worker(queue: &str, workers: &[Worker]) -> Hold {
    let draining = workers.iter().filter(|worker| serves(worker, queue)).count();
    Hold::no_worker(queue, draining, workers.len() - draining)
}

fn serves(worker: &Worker, queue: &str) -> bool {
    worker.queues.is_empty() || worker.queues.iter().any(|served| served == queue)
}
