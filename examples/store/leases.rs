//! Leases, for the workers.

use std::{
    collections::{HashMap, HashSet},
    sync::MutexGuard,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use jobrunner_core::{
    BatchId, Error, Result, SessionId, UserId,
    attempt::Reason,
    lease::{
        Claim, Claimable, Exchanged, Finish, Finished, LeaseRef, NewSession, QueueState,
        QueueUpdate, Renewal, Rescue, Rescued, Worker,
    },
    log::{LogChunk, Stream, Trim},
    store::{
        LeaseStore,
        engine::{
            decide::{self, Beside, Decision, Held, Orphan, SessionLease, of_the_worker},
            tally::Tally,
            values::{millis, render, stored, time},
        },
    },
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    Memory,
    state::{Done, Entry, Session, State, now},
};

#[async_trait]
impl LeaseStore for Memory {
    async fn open_session(&self, session: NewSession) -> Result<()> {
        let mut state = self.lock();
        let (id, expires_at) = (session.id, Instant::now() + session.ttl);
        state.hosts.insert(id, session.host.clone());
        let fresh =
            Session { of: session, draining: false, started_at: now(), seen_at: now(), expires_at };
        // One that is announced again lives on from now.
        let known = state.sessions.entry(id).or_insert(fresh);
        (known.seen_at, known.expires_at) = (now(), expires_at);
        Ok(())
    }

    async fn renew(&self, session: SessionId, held: &[LeaseRef]) -> Result<Renewal> {
        let mut state = self.lock();
        let known = state.sessions.get_mut(&session).ok_or(Error::NotFound("session"))?;
        known.expires_at = Instant::now() + known.of.ttl;
        known.seen_at = now();
        let (draining, ttl) = (known.draining, millis(known.of.ttl));
        let of_session = state.leases.iter().filter(|(_, lease)| lease.session == session);
        let leases: Vec<SessionLease> = of_session
            .map(|(token, lease)| SessionLease {
                token: *token,
                job_id: lease.job.as_uuid(),
                cancel: lease.cancel,
                is_old: lease.claimed_at.saturating_add(ttl) < now(),
            })
            .collect();
        let (renewal, unheard) = decide::renewal(held, &leases, draining);
        state.give_back(&unheard)?;
        Ok(renewal)
    }

    async fn close_session(&self, session: SessionId) -> Result<Vec<Rescued>> {
        let mut state = self.lock();
        state.sessions.remove(&session);
        state.reclaim()
    }

    async fn queue(&self, name: &str) -> Result<Option<QueueState>> {
        let state = self.lock();
        state.queues.get(name).map(|queue| state.queue(name, queue)).transpose()
    }

    async fn queues(&self, after: Option<&str>, limit: u32) -> Result<Vec<QueueState>> {
        let state = self.lock();
        let behind =
            state.queues.iter().filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
        let page = behind.take(limit as usize);
        page.map(|(name, queue)| state.queue(name, queue)).collect()
    }

    async fn update_queue(&self, name: &str, update: QueueUpdate) -> Result<()> {
        let mut state = self.lock();
        let queue = state.queues.get_mut(name).ok_or(Error::NotFound("queue"))?;
        queue.paused = update.paused.unwrap_or(queue.paused);
        queue.weight = update.weight.unwrap_or(queue.weight);
        queue.is_set_up = true;
        Ok(())
    }

    async fn weigh_owner(&self, owner: UserId, weight: f64) -> Result<()> {
        self.lock().turns.entry(owner).or_default().weight = weight;
        Ok(())
    }

    async fn forget_queues(&self, unused: Duration) -> Result<u64> {
        Ok(self.lock().forget_queues(millis(unused)))
    }

    async fn workers(&self) -> Result<Vec<Worker>> {
        let state = self.lock();
        let mut workers = Vec::new();
        for (id, session) in &state.sessions {
            if session.expires_at <= Instant::now() {
                continue;
            }
            let running = state.leases.values().filter(|lease| lease.session == *id).count();
            workers.push(Worker {
                id: *id,
                host: session.of.host.clone(),
                pid: session.of.pid,
                slots: session.of.slots,
                running: u32::try_from(running).unwrap_or(u32::MAX),
                queues: session.of.queues.clone(),
                draining: session.draining,
                containment: session.of.containment,
                started_at: time(session.started_at)?,
                seen_at: time(session.seen_at)?,
            });
        }
        workers.sort_by_key(|worker| (worker.started_at, worker.id));
        Ok(workers)
    }

    async fn drain(&self, session: SessionId) -> Result<()> {
        let mut state = self.lock();
        state.sessions.get_mut(&session).ok_or(Error::NotFound("worker"))?.draining = true;
        Ok(())
    }

    async fn exchange(&self, reports: &[Finish], next: Option<Claim>) -> Result<Exchanged> {
        let mut state = self.lock();
        // Nothing is recorded for a session that is gone.
        if let Some(next) = &next {
            let known = state.sessions.get(&next.session);
            known.filter(|it| it.expires_at > Instant::now()).ok_or(Error::NotFound("session"))?;
        }
        let mut tally = Tally::default();
        let finished = state.finish(reports, &mut tally)?;
        let leased = match next {
            Some(next) => state.claim(next, &mut tally)?,
            None => Vec::new(),
        };
        state.count(tally)?;
        Ok(Exchanged { finished, leased })
    }

    fn claimable(&self, of: Option<BatchId>) -> BoxStream<'_, Result<Vec<Claimable>>> {
        const PAGE: usize = 1000;
        let found = claimable(&self.lock(), of);
        let pages: Vec<_> = found.chunks(PAGE).map(|page| Ok(page.to_vec())).collect();
        stream::iter(pages).boxed()
    }

    async fn release(&self, leases: &[LeaseRef]) -> Result<()> {
        self.lock().give_back(leases)
    }

    async fn append_log(
        &self,
        lease: LeaseRef,
        chunks: &[LogChunk],
        trim: &[Trim],
    ) -> Result<bool> {
        let mut state = self.lock();
        let held = state.leases.get(&lease.token.0).filter(|held| held.job == lease.job);
        let Some(attempt) = held.map(|held| held.attempt) else { return Ok(false) };
        let Some(job) = state.jobs.get_mut(&lease.job) else { return Ok(false) };
        for chunk in chunks {
            job.logs.entry((attempt, chunk.stream)).or_default().append(chunk);
        }
        for part in trim {
            job.logs.entry((attempt, part.stream)).or_default().trim(part);
        }
        Ok(true)
    }

    async fn rescue(&self, which: Rescue) -> Result<Vec<Rescued>> {
        let mut state = self.lock();
        let now = Instant::now();
        state.sessions.retain(|_, it| which == Rescue::Expired && it.expires_at > now);
        state.reclaim()
    }
}

/// All that can be claimed, in the order of claims.
fn claimable(state: &MutexGuard<'_, State>, of: Option<BatchId>) -> Vec<Claimable> {
    let mut found = Vec::new();
    for lane in &state.lanes {
        for (place, id) in &lane.ready {
            if of.is_none() || state.jobs[id].batch == of {
                found.push(Claimable {
                    job: *id,
                    priority: 10 - place,
                    queue: lane.queue.clone(),
                    owner: lane.owner,
                    weight: state.queues[&lane.queue].weight,
                    owner_weight: state.turn(lane.owner).weight,
                });
            }
        }
    }
    found
}

impl State {
    /// Records how attempts ended, but for the counts.
    fn finish(&mut self, reports: &[Finish], tally: &mut Tally) -> Result<Vec<Finished>> {
        let mut held = Vec::new();
        let mut reported = HashSet::new();
        for report in reports {
            if let Some(lease) = self.held(report.lease)? {
                held.push(lease);
            } else if self.was_reported(report.lease) {
                reported.insert(report.lease);
            }
        }
        // The same report twice has one lease.
        let mut seen = HashMap::new();
        held.retain(|lease| seen.insert(lease.token, ()).is_none());
        let is_held = |report: &&Finish| seen.contains_key(&report.lease.token.0);
        let ended = reports.iter().filter(is_held);
        let ended = ended.map(|report| (report.lease.job.as_uuid(), report.outcome.reason));
        let mut decision = Decision::knowing(self.elsewhere(of_the_worker(ended)));
        let mut beside = Beside::default();
        let answers = decision.reported(reports, held, reported, &mut beside, tally)?;
        for (id, attempt, cases) in beside.cases {
            if let Some(job) = self.jobs.get_mut(&id) {
                job.cases.insert(attempt, cases.to_vec());
            }
        }
        for (id, attempt, chunk) in beside.output {
            if let Some(job) = self.jobs.get_mut(&id) {
                job.logs.entry((attempt, chunk.stream)).or_default().append(chunk);
            }
        }
        self.end(decision)?;
        Ok(answers)
    }

    /// A lease with what decides about the end of its attempt.
    fn held(&self, of: LeaseRef) -> Result<Option<Held>> {
        let lease = self.leases.get(&of.token.0).filter(|lease| lease.job == of.job);
        let found = lease.and_then(|lease| Some((lease, self.jobs.get(&lease.job)?)));
        let Some((lease, job)) = found else { return Ok(None) };
        Ok(Some(Held {
            job_id: lease.job.as_uuid(),
            token: of.token.0,
            owner_id: job.owner.as_uuid(),
            batch_id: job.batch.map(BatchId::as_uuid),
            attempts: lease.attempt,
            losses: lease.losses,
            cancel: lease.cancel,
            alone: job.alone,
            max_attempts: job.spec.max_attempts.into(),
            retry: job.spec.retry.as_ref().map(render).transpose()?,
            is_started: true,
            ran_ms: (now() - lease.claimed_at).max(0),
            test_no: job.of.map(|(_, test)| test),
            run_no: job.of.map(|(run, _)| run),
            host: lease.host.clone(),
        }))
    }

    /// Whether a report was accepted of a lease before; a rescue ends an attempt without one.
    fn was_reported(&self, lease: LeaseRef) -> bool {
        let attempts = self.jobs.get(&lease.job).map(|job| &job.attempts);
        attempts.into_iter().flatten().any(|done| {
            done.end.token == lease.token.0 && done.end.reason != Some(Reason::WorkerLost.as_str())
        })
    }

    /// Those of these leased jobs that a worker on another host could take.
    fn elsewhere(&self, jobs: Vec<Uuid>) -> Vec<Uuid> {
        let has_another = |id: &Uuid| {
            let Some(job) = self.jobs.get(&(*id).into()) else { return false };
            let lease = job.lease.and_then(|token| self.leases.get(&token));
            let serves = |session: &Session| {
                session.of.queues.is_empty() || session.of.queues.contains(&job.spec.queue)
            };
            self.sessions.values().any(|session| {
                lease.is_some_and(|lease| session.of.host != lease.host)
                    && !session.draining
                    && session.expires_at > Instant::now()
                    && serves(session)
            })
        };
        jobs.into_iter().filter(has_another).collect()
    }

    /// Gives back those of the leases that are held, whose commands were not started.
    fn give_back(&mut self, leases: &[LeaseRef]) -> Result<()> {
        let (mut decision, mut tally) = (Decision::default(), Tally::default());
        let held: Result<Vec<Option<Held>>> = leases.iter().map(|it| self.held(*it)).collect();
        let held: Vec<Held> = held?.into_iter().flatten().collect();
        decision.given_back(&held, &mut tally)?;
        self.end(decision)?;
        self.count(tally)
    }

    /// Takes back the leases of sessions that are gone.
    fn reclaim(&mut self) -> Result<Vec<Rescued>> {
        let mut orphans = Vec::new();
        for (token, lease) in &self.leases {
            if self.sessions.contains_key(&lease.session) {
                continue;
            }
            let of = LeaseRef { job: lease.job, token: jobrunner_core::lease::LeaseToken(*token) };
            let Some(held) = self.held(of)? else { continue };
            let Entry { logs, attempts, .. } = &self.jobs[&lease.job];
            let was_lost = |done: &&Done| {
                let end = &done.end;
                end.reason == Some(Reason::WorkerLost.as_str()) && end.signal.is_none()
            };
            let lost = stored(attempts.iter().filter(was_lost).count() as u64);
            let end =
                |stream| logs.get(&(lease.attempt, stream)).and_then(crate::logs::Log::stored_end);
            let (stdout_end, stderr_end) = (end(Stream::Stdout), end(Stream::Stderr));
            orphans.push(Orphan { held, stdout_end, stderr_end, lost });
        }
        let lost = orphans.iter().map(|it| (it.held.job_id, Some(Reason::WorkerLost)));
        let mut decision = Decision::knowing(self.elsewhere(of_the_worker(lost)));
        let mut tally = Tally::default();
        let rescued = decision.lost(&orphans, &mut tally)?;
        self.end(decision)?;
        self.count(tally)?;
        Ok(rescued)
    }
}
