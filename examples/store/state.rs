//! What is stored, and how it changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use jobrunner_core::{
    AuditEventId, BatchId, Conflict, DeliveryId, Error, JobId, JobSpec, KnownIssueId, NewBatch,
    ProjectName, Result, SessionId, SignInId, Status, SubscriptionId, TokenId, UserId,
    audit::AuditEvent,
    authz::SecretDigest,
    batch::Counts,
    known_issue::KnownIssue,
    lease::{LeaseRef, LeaseToken, NewSession},
    log::Stream,
    notification::{Delivery, Subscription},
    report::Case,
    store::{
        Account, Idempotency, Submitted,
        engine::{
            decide::{self, Decision, End},
            spec,
            tally::{Difference, Tally},
            values::{self, code, number, time},
        },
    },
    user::PersonalToken,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    logs::Log,
    projects::ProjectEntry,
    results::Past,
    turns::{LaneEntry, QueueEntry, Turn},
};

#[derive(Default)]
pub(crate) struct State {
    pub(crate) jobs: BTreeMap<JobId, Entry>,
    pub(crate) batches: BTreeMap<BatchId, BatchEntry>,
    /// How the jobs of each owner stand.
    pub(crate) counts: HashMap<Uuid, Difference>,
    pub(crate) queues: BTreeMap<String, QueueEntry>,
    /// How far each owner's are.
    pub(crate) turns: HashMap<UserId, Turn>,
    /// One for each owner in each queue, by its number.
    pub(crate) lanes: Vec<LaneEntry>,
    /// Jobs that wait for a time, by that time; suspects are among them also when it has come.
    pub(crate) deferred: BTreeSet<(i64, JobId)>,
    pub(crate) leases: BTreeMap<i64, Lease>,
    last_token: i64,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    /// Of every session that there ever was.
    pub(crate) hosts: HashMap<SessionId, String>,
    keys: HashMap<(UserId, String), ([u8; 32], Uuid)>,
    pub(crate) known_issues: BTreeMap<KnownIssueId, KnownIssue>,
    pub(crate) projects: BTreeMap<ProjectName, ProjectEntry>,
    pub(crate) accounts: BTreeMap<UserId, Account>,
    /// Until their tokens have expired.
    pub(crate) ended_sign_ins: HashMap<SignInId, DateTime<Utc>>,
    /// Those that have set a new password.
    pub(crate) kept_sign_ins: HashMap<SignInId, Kept>,
    /// How many of its refresh tokens were used, until they have expired.
    pub(crate) refreshed: HashMap<SignInId, (u32, DateTime<Utc>)>,
    /// Each with what its secret is found by.
    pub(crate) tokens: BTreeMap<TokenId, (PersonalToken, SecretDigest)>,
    pub(crate) events: BTreeMap<AuditEventId, AuditEvent>,
    pub(crate) past: Past,
    pub(crate) subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// When the windows that are open end.
    pub(crate) windows: BTreeMap<SubscriptionId, DateTime<Utc>>,
    /// Each with the lease of whoever tries it.
    pub(crate) deliveries: BTreeMap<DeliveryId, (Delivery, Option<Uuid>)>,
}

/// A sign-in whose tokens are as good as those of a token version of its account.
pub(crate) struct Kept {
    pub(crate) account: UserId,
    pub(crate) version: i64,
    pub(crate) until: DateTime<Utc>,
}

pub(crate) struct Entry {
    pub(crate) owner: UserId,
    pub(crate) batch: Option<BatchId>,
    /// The numbers of the run that it is of, and of the test that it is.
    pub(crate) of: Option<(i64, i64)>,
    pub(crate) spec: JobSpec,
    /// The same as JSON, as the engine's rows have it.
    pub(crate) json: String,
    pub(crate) lane: usize,
    pub(crate) created_at: i64,
    /// `Waiting` until it has ended; what runs is known by its lease.
    pub(crate) status: Status,
    pub(crate) finished_at: Option<i64>,
    pub(crate) flaky: bool,
    /// Attempts that were charged, and those of them that cost no run.
    pub(crate) charged: i64,
    pub(crate) losses: i64,
    /// It has lost so many workers that it runs alone, after all others: a suspect.
    pub(crate) alone: bool,
    /// A host that it is not to be run on until then.
    pub(crate) avoid: Option<(String, i64)>,
    /// When its time comes, if it waits for that.
    pub(crate) deferred: Option<i64>,
    pub(crate) lease: Option<i64>,
    pub(crate) attempts: Vec<Done>,
    pub(crate) logs: HashMap<(i64, Stream), Log>,
    /// Those of the reports of its attempts, by their numbers.
    pub(crate) cases: HashMap<i64, Vec<Case>>,
}

/// An attempt that has ended.
pub(crate) struct Done {
    pub(crate) number: i64,
    pub(crate) session: SessionId,
    pub(crate) started_at: i64,
    pub(crate) finished_at: i64,
    pub(crate) end: End,
}

pub(crate) struct BatchEntry {
    pub(crate) owner: UserId,
    pub(crate) batch: NewBatch,
    pub(crate) rerun_of: Option<BatchId>,
    /// The number of the run that it is.
    pub(crate) run: Option<i64>,
    pub(crate) members: BTreeSet<JobId>,
    pub(crate) counts: Difference,
    pub(crate) status: Status,
    pub(crate) created_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
}

pub(crate) struct Lease {
    pub(crate) job: JobId,
    pub(crate) session: SessionId,
    pub(crate) host: String,
    pub(crate) attempt: i64,
    pub(crate) losses: i64,
    pub(crate) claimed_at: i64,
    pub(crate) cancel: bool,
}

pub(crate) struct Session {
    pub(crate) of: NewSession,
    pub(crate) draining: bool,
    pub(crate) started_at: i64,
    pub(crate) seen_at: i64,
    /// By a clock that is never set.
    pub(crate) expires_at: Instant,
}

pub(crate) fn now() -> i64 {
    Utc::now().timestamp_millis()
}

pub(crate) fn counts(by_status: &Difference) -> Result<Counts> {
    let [waiting, running, passed, failed, canceled, ..] = by_status.map(number);
    Ok(Counts::new([waiting?, running?, passed?, failed?, canceled?]))
}

impl State {
    /// What a request with this key has made before; otherwise it is remembered to make `id`.
    pub(crate) fn done_before<Id: From<Uuid>>(
        &mut self,
        owner: UserId,
        once: Option<&Idempotency>,
        id: Uuid,
    ) -> Result<Option<Submitted<Id>>> {
        let Some(once) = once else { return Ok(None) };
        match self.keys.get(&(owner, once.key.clone())) {
            Some((digest, made)) => once.repeated(digest, *made).map(Some),
            None => {
                self.keys.insert((owner, once.key.clone()), (once.digest, id));
                Ok(None)
            }
        }
    }

    /// Stores a batch without members.
    pub(crate) fn insert_batch(
        &mut self,
        owner: UserId,
        batch: NewBatch,
        rerun_of: Option<BatchId>,
        id: BatchId,
    ) -> i64 {
        let created_at = now();
        let run = self.past.begin(owner, id, &batch, rerun_of);
        let entry = BatchEntry {
            owner,
            batch,
            rerun_of,
            run,
            members: BTreeSet::new(),
            counts: Difference::default(),
            status: Status::Waiting,
            created_at,
            started_at: None,
            finished_at: None,
        };
        self.batches.insert(id, entry);
        created_at
    }

    /// Stores jobs that wait; what they say is written before, since that may fail.
    pub(crate) fn insert_jobs(
        &mut self,
        owner: UserId,
        batch: Option<BatchId>,
        jobs: Vec<(JobId, JobSpec, String)>,
    ) -> Result<i64> {
        let (created_at, mut tally) = (now(), Tally::default());
        let run = batch.and_then(|batch| self.batches.get(&batch)?.run);
        for (id, spec, json) in jobs {
            let lane = self.lane(owner, &spec.queue);
            let of = match run {
                Some(run) => Some((run, self.past.know(run, &spec)?)),
                None => None,
            };
            let due = spec.scheduled_at.map(|at| at.timestamp_millis());
            let entry = Entry {
                owner,
                batch,
                of,
                spec,
                json,
                lane,
                created_at,
                status: Status::Waiting,
                finished_at: None,
                flaky: false,
                charged: 0,
                losses: 0,
                alone: false,
                avoid: None,
                deferred: None,
                lease: None,
                attempts: Vec::new(),
                logs: HashMap::new(),
                cases: HashMap::new(),
            };
            self.jobs.insert(id, entry);
            self.wait(id, due.filter(|due| *due > created_at));
            if let Some(batch) = batch.and_then(|batch| self.batches.get_mut(&batch)) {
                batch.members.insert(id);
            }
            tally.add(owner.as_uuid(), batch.map(BatchId::as_uuid), Status::Waiting, 1);
        }
        self.count(tally)?;
        Ok(created_at)
    }

    /// Leases a job, with a token that was never used before, and charges the attempt.
    pub(crate) fn lease(
        &mut self,
        id: JobId,
        session: SessionId,
        host: &str,
        tally: &mut Tally,
    ) -> Result<LeaseRef> {
        self.withdraw(id);
        self.last_token += 1;
        let token = self.last_token;
        let job = self.jobs.get_mut(&id).ok_or(Error::NotFound("job"))?;
        job.charged += 1;
        job.lease = Some(token);
        job.avoid = None;
        tally.leased(job.owner.as_uuid(), job.batch.map(BatchId::as_uuid))?;
        let lease = Lease {
            job: id,
            session,
            host: host.to_owned(),
            attempt: job.charged,
            losses: job.losses,
            claimed_at: now(),
            cancel: false,
        };
        self.leases.insert(token, lease);
        Ok(LeaseRef { job: id, token: LeaseToken(token) })
    }

    /// Writes what the engine has decided of leases, but for the counts.
    pub(crate) fn end(&mut self, decision: Decision) -> Result<()> {
        let now = now();
        self.past.keep(decision.results);
        for end in decision.ends {
            let Some(lease) = self.leases.remove(&end.token) else { continue };
            let id = lease.job;
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            job.lease = None;
            job.losses = end.losses;
            job.alone = end.alone;
            let waits = end.job_status == code(Status::Waiting);
            if !waits {
                job.status = values::status(end.job_status.into())?;
                job.finished_at = Some(now);
                job.flaky = end.flaky;
            }
            job.avoid = (end.avoid_ms > 0).then(|| (lease.host.clone(), now + end.avoid_ms));
            let due = (end.delay_ms > 0).then_some(now + end.delay_ms);
            let (number, session, started_at) = (lease.attempt, lease.session, lease.claimed_at);
            job.attempts.push(Done { number, session, started_at, finished_at: now, end });
            if waits {
                self.wait(id, due);
            }
        }
        for lease in decision.unstarted {
            let Some(held) = self.leases.remove(&lease.token.0) else { continue };
            let Some(job) = self.jobs.get_mut(&lease.job) else { continue };
            job.lease = None;
            job.charged -= 1;
            let due = job.alone.then_some(held.claimed_at);
            self.wait(lease.job, due);
        }
        Ok(())
    }

    /// Adds differences to the counts. A batch begins with its first job that is started, and ends
    /// with its last one, once.
    pub(crate) fn count(&mut self, tally: Tally) -> Result<()> {
        let now = now();
        for batch in tally.failed() {
            self.tell_failure(batch.into());
        }
        for (owner, by) in tally.owners {
            add(self.counts.entry(owner).or_default(), &by);
        }
        for id in tally.started {
            if let Some(batch) = self.batches.get_mut(&id.into()) {
                batch.started_at.get_or_insert(now);
                batch.status = Status::Running;
            }
        }
        let mut ended = Vec::new();
        for (id, by) in tally.batches {
            let Some(batch) = self.batches.get_mut(&id.into()) else { continue };
            add(&mut batch.counts, &by);
            let counts = counts(&batch.counts)?;
            if counts.all_ended() && counts.total > 0 && batch.finished_at.is_none() {
                batch.finished_at = Some(now);
                batch.status = counts.batch_status(true);
                ended.push(BatchId::from(id));
            }
        }
        for batch in ended {
            self.settle(batch)?;
            self.tell_end(batch);
        }
        Ok(())
    }

    /// Ends those of these jobs that wait, and tells the workers of those that run; how many of
    /// each.
    pub(crate) fn cancel(&mut self, ids: &[JobId]) -> Result<(u64, u64)> {
        let (status, mut tally) = (decide::canceled()?, Tally::default());
        let (mut ended, mut stopping) = (0, 0);
        for &id in ids {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            if job.status.is_terminal() {
                continue;
            }
            if let Some(token) = job.lease {
                stopping += 1;
                self.leases.entry(token).and_modify(|lease| lease.cancel = true);
                continue;
            }
            ended += 1;
            job.status = status;
            job.finished_at = Some(now());
            let (owner, batch) = (job.owner.as_uuid(), job.batch.map(BatchId::as_uuid));
            tally.moved(owner, batch, Status::Waiting, status);
            if let Some(of) = job.of {
                self.past.not_run(id, of);
            }
            self.withdraw(id);
        }
        self.count(tally)?;
        Ok((ended, stopping))
    }

    /// Forgets a job that has ended, but for the counts.
    pub(crate) fn forget(&mut self, id: JobId) {
        let Some(job) = self.jobs.remove(&id) else { return };
        if let Some(batch) = job.batch.and_then(|batch| self.batches.get_mut(&batch)) {
            batch.members.remove(&id);
        }
    }

    /// Members of a batch that are to be repeated.
    pub(crate) fn repeated(&self, batch: &BatchEntry, all: bool) -> Result<Vec<JobSpec>> {
        let is_chosen =
            |job: &Entry| all || matches!(job.status, Status::Failed | Status::Canceled);
        let members = batch.members.iter().filter_map(|id| Some((*id, self.jobs.get(id)?)));
        let chosen = members.filter(|(_, job)| is_chosen(job));
        let specs: Vec<_> = chosen.map(|(id, job)| job.spec.clone().again(id)).collect();
        if specs.is_empty() { Err(Conflict::NothingToRerun.into()) } else { Ok(specs) }
    }
}

/// Jobs with their ids, ready to be stored.
pub(crate) fn fresh(specs: Vec<JobSpec>) -> Result<Vec<(JobId, JobSpec, String)>> {
    let job = |spec: JobSpec| spec::render(&spec).map(|json| (JobId::new(), spec, json));
    specs.into_iter().map(job).collect()
}

fn add(to: &mut Difference, by: &Difference) {
    for (to, by) in to.iter_mut().zip(by) {
        *to += by;
    }
}

/// A made time as it is answered.
pub(crate) fn submitted<Id>(id: Id, made_at: i64) -> Result<Submitted<Id>> {
    Ok(Submitted { id, made_at: Some(time(made_at)?) })
}
