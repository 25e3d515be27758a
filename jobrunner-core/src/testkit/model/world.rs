mod checks;
mod jobs;

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{End, HANDS, Member, OWNERS, Operation, QUEUES};
use crate::{
    BatchId, Error, JobId, JobSpec, Status, UserId,
    batch::{Batch, RerunOnly},
    job::Reason,
    lease::{Claim, Finish, Finished, LeaseRef, LeaseToken, Leased, Pick},
    testkit::{Fixture, Hand, skip, spec},
};

use jobs::Job;

/// A store and the model of it, side by side.
pub(super) struct World {
    fixture: Fixture,
    owners: [UserId; OWNERS],
    hands: Vec<Hand>,
    jobs: BTreeMap<JobId, Job>,
    /// Batches with their owners, and how they ended once they have.
    batches: BTreeMap<BatchId, (UserId, Option<Batch>)>,
    /// Every token that was ever given out.
    tokens: BTreeSet<LeaseToken>,
    /// Leases that no longer hold, and whether a report was accepted of them.
    old: Vec<(LeaseRef, bool)>,
}

/// A lease that holds.
#[derive(Clone, Copy, Debug)]
struct Lease {
    lease: LeaseRef,
    hand: usize,
}

impl World {
    pub(super) async fn new(fixture: Fixture) -> Self {
        let mut hands = Vec::new();
        for _ in 0..HANDS {
            hands.push(fixture.hand().await);
        }
        let owners = std::array::from_fn(|_| UserId::new());
        let (jobs, batches, tokens) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { fixture, owners, hands, jobs, batches, tokens, old: Vec::new() }
    }

    /// Does it to the store, and to the model what the promises say.
    pub(super) async fn carry_out(&mut self, operation: Operation) {
        match operation {
            Operation::Submit { owner, member } => self.submit(owner, &member).await,
            Operation::SubmitBatch { owner, members } => self.submit_batch(owner, &members).await,
            Operation::Rerun { batch, only } => {
                if let Some(batch) = pick(self.batches.keys(), batch) {
                    self.rerun(batch, only).await;
                }
            }
            Operation::Claim { hand, want } => self.claim(hand, want).await,
            Operation::ClaimIds { hand, jobs } => {
                let ids: Vec<JobId> =
                    jobs.into_iter().filter_map(|index| pick(self.jobs.keys(), index)).collect();
                self.claim_ids(hand, ids).await;
            }
            Operation::Exchange { hand, leases, want } => {
                let held: Vec<Lease> =
                    self.leases().into_iter().filter(|lease| lease.hand == hand).collect();
                let ended = leases
                    .into_iter()
                    .filter_map(|(index, end)| pick(held.iter(), index).map(|lease| (lease, end)));
                self.exchange(hand, ended.collect(), want).await;
            }
            Operation::Finish { lease, end } => {
                if let Some(lease) = pick(self.leases().iter(), lease) {
                    self.finish(lease, end).await;
                }
            }
            Operation::FinishTwice { lease } => {
                if let Some(lease) = pick(self.leases().iter(), lease) {
                    self.finish(lease, End::Passed).await;
                    self.use_old(lease.lease).await;
                }
            }
            Operation::UseOldToken { lease } => {
                if let Some((lease, _)) = pick(self.old.iter(), lease) {
                    self.use_old(lease).await;
                }
            }
            Operation::Release { lease } => {
                if let Some(lease) = pick(self.leases().iter(), lease) {
                    self.release(lease).await;
                }
            }
            Operation::Renew { hand } => self.renew(hand).await,
            Operation::Cancel { job } => {
                if let Some(job) = pick(self.jobs.keys(), job) {
                    self.fixture.store.cancel_job(job).await.expect("canceled");
                    self.canceled(job);
                }
            }
            Operation::CancelBatch { batch } => {
                if let Some(batch) = pick(self.batches.keys(), batch) {
                    self.fixture.store.cancel_batch(batch).await.expect("canceled");
                    self.members(batch).into_iter().for_each(|job| self.canceled(job));
                }
            }
            Operation::Close { hand } => self.close(hand).await,
            Operation::Delete { job } => {
                if let Some(job) = pick(self.jobs.keys(), job) {
                    self.delete(job).await;
                }
            }
            Operation::DeleteBatch { batch } => {
                if let Some(batch) = pick(self.batches.keys(), batch) {
                    self.delete_batch(batch).await;
                }
            }
        }
    }

    async fn submit(&mut self, owner: usize, member: &Member) {
        let owner = self.owners[owner];
        let id = self.fixture.job(owner, job_spec(member)).await;
        self.jobs.insert(id, Job::new(owner, None, member.max_attempts));
    }

    async fn submit_batch(&mut self, owner: usize, members: &[Member]) {
        let owner = self.owners[owner];
        let batch = self.fixture.batch(owner, members.iter().map(job_spec).collect()).await;
        self.batches.insert(batch, (owner, None));
        let stored = self.fixture.members(batch).await;
        assert_eq!(stored.len(), members.len(), "P1: a batch is stored whole");
        for (job, member) in stored.into_iter().zip(members) {
            self.jobs.insert(job.id, Job::new(owner, Some(batch), member.max_attempts));
        }
    }

    async fn rerun(&mut self, batch: BatchId, only: RerunOnly) {
        let (owner, _) = self.batches[&batch];
        let is_repeated = |job: &JobId| {
            only == RerunOnly::All
                || matches!(self.jobs[job].status, Status::Failed | Status::Canceled)
        };
        let repeated: Vec<JobId> = self.members(batch).into_iter().filter(is_repeated).collect();
        let rerun = self.fixture.store.rerun_batch(owner, batch, only).await;
        if repeated.is_empty() {
            assert!(matches!(rerun, Err(Error::Conflict(_))), "nothing to repeat: {rerun:?}");
            return;
        }
        let rerun = rerun.expect("a rerun");
        self.batches.insert(rerun, (owner, None));
        let stored = self.fixture.members(rerun).await;
        assert_eq!(stored.len(), repeated.len(), "the chosen members are repeated");
        for (job, original) in stored.into_iter().zip(repeated) {
            assert_eq!(job.spec.rerun_of, Some(original), "a rerun says what it repeats");
            let max_attempts = self.jobs[&original].max_attempts;
            self.jobs.insert(job.id, Job::new(owner, Some(rerun), max_attempts));
        }
    }

    async fn claim(&mut self, hand: usize, want: u32) {
        let leased = self.hands[hand].claim(want).await;
        self.check_claim(hand, self.jobs.keys(), leased.len(), want as usize);
        self.claimed(hand, leased);
    }

    /// What can be claimed is claimed; of jobs that pause it is not known whether they can.
    fn check_claim<'a>(
        &self,
        hand: usize,
        of: impl Iterator<Item = &'a JobId>,
        leased: usize,
        want: usize,
    ) {
        let held: Vec<Lease> =
            self.leases().into_iter().filter(|lease| lease.hand == hand).collect();
        if held.iter().any(|lease| self.jobs[&lease.lease.job].alone) {
            assert_eq!((leased, held.len()), (0, 1), "P4: nothing is leased beside a suspect");
            return;
        }
        let claimable = of.map(|job| &self.jobs[job]).filter(|job| job.is_claimable());
        let (pausing, certain): (Vec<&Job>, Vec<&Job>) = claimable.partition(|job| job.may_pause());
        let (least, most) = (certain.len(), certain.len() + pausing.len());
        assert!((least.min(want)..=most.min(want)).contains(&leased), "{leased} were claimed");
    }

    async fn exchange(&mut self, hand: usize, ended: Vec<(Lease, End)>, want: u32) {
        let reports: Vec<Finish> =
            ended.iter().map(|(lease, end)| self.report(*lease, *end)).collect();
        let pick = Pick::Fair { queues: Vec::new(), want };
        let claim = Claim { session: self.hands[hand].session, pick };
        let done = self.fixture.store.exchange(&reports, Some(claim)).await.expect("an answer");
        let mut first = BTreeSet::new();
        for ((lease, end), answer) in ended.into_iter().zip(done.finished) {
            if first.insert(lease.lease) {
                assert_eq!(answer, Finished::Won, "P3: {lease:?}");
                self.old.push((lease.lease, true));
                self.job(lease).end(end);
            } else {
                assert_eq!(answer, Finished::Already, "P3: {lease:?} is reported twice");
            }
        }
        self.check_claim(hand, self.jobs.keys(), done.leased.len(), want as usize);
        self.claimed(hand, done.leased);
    }

    async fn claim_ids(&mut self, hand: usize, ids: Vec<JobId>) {
        let wanted: BTreeSet<JobId> = ids.iter().copied().collect();
        let session = self.hands[hand].session;
        let leased = self.fixture.store.claim(session, Pick::Ids(ids)).await.expect("a claim");
        self.check_claim(hand, wanted.iter(), leased.len(), wanted.len());
        assert!(leased.iter().all(|leased| wanted.contains(&leased.lease.job)), "{leased:?}");
        self.claimed(hand, leased);
    }

    fn claimed(&mut self, hand: usize, leased: Vec<Leased>) {
        if leased.iter().any(|leased| self.jobs[&leased.lease.job].alone) {
            let is_idle = self.leases().iter().all(|lease| lease.hand != hand);
            assert!(is_idle && leased.len() == 1, "P4: a suspect is leased alone: {leased:?}");
            let others = self.jobs.values().filter(|job| job.is_claimable() && !job.may_pause());
            assert_eq!(others.count(), 0, "P4: a suspect is leased after all others");
        }
        for leased in leased {
            let lease = leased.lease;
            assert!(self.tokens.insert(lease.token), "P3: {lease:?} was given out before");
            let job = self.jobs.get_mut(&lease.job).expect("a job that was submitted");
            assert!(job.is_claimable(), "P3: {lease:?} was not to be claimed: {job:?}");
            assert_eq!(leased.run.attempt as usize, job.attempts.len() + 1, "P4");
            job.start(Lease { lease, hand });
        }
    }

    fn report(&self, lease: Lease, end: End) -> Finish {
        let report = self.hands[lease.hand].report(lease.lease, end.reason());
        match end {
            End::Skipped => Finish { outcome: skip(), ..report },
            End::Passed | End::Not(_) => report,
        }
    }

    async fn finish(&mut self, lease: Lease, end: End) {
        let report = self.report(lease, end);
        let answers = self.fixture.store.finish(&[report]).await.expect("an answer");
        assert_eq!(answers, [Finished::Won], "P3: {lease:?}");
        self.old.push((lease.lease, true));
        self.job(lease).end(end);
    }

    async fn use_old(&mut self, lease: LeaseRef) {
        let Some((_, reported)) = self.old.iter().find(|(old, _)| *old == lease) else { return };
        let answer = self.hands[0].finish(lease, Some(Reason::ExitCode)).await;
        let is_there = self.jobs.contains_key(&lease.job);
        let expected = if *reported && is_there { Finished::Already } else { Finished::Stale };
        assert_eq!(answer, expected, "P3: {lease:?} is old");
        self.fixture.store.release(&[lease]).await.expect("an answer");
    }

    async fn release(&mut self, lease: Lease) {
        self.fixture.store.release(&[lease.lease]).await.expect("released");
        let is_ended = self.job(lease).give_back();
        self.old.push((lease.lease, is_ended));
    }

    async fn renew(&mut self, hand: usize) {
        let held: Vec<Lease> =
            self.leases().into_iter().filter(|lease| lease.hand == hand).collect();
        let refs: Vec<LeaseRef> = held.iter().map(|lease| lease.lease).collect();
        let renewal = self.fixture.store.renew(self.hands[hand].session, &refs).await;
        let mut renewal = renewal.expect("a renewal");
        assert_eq!(renewal.lost, [], "leases of a live session hold");
        let mut canceled: Vec<LeaseRef> =
            held.iter().filter(|l| self.jobs[&l.lease.job].cancel).map(|l| l.lease).collect();
        renewal.cancel.sort_unstable();
        canceled.sort_unstable();
        assert_eq!(renewal.cancel, canceled, "P6: a renewal tells what was canceled");
    }

    async fn close(&mut self, hand: usize) {
        let gone = std::mem::replace(&mut self.hands[hand], self.fixture.hand().await);
        let rescued = self.fixture.store.close_session(gone.session).await.expect("closed");
        let held: Vec<Lease> =
            self.leases().into_iter().filter(|lease| lease.hand == hand).collect();
        assert_eq!(rescued.len(), held.len(), "all its leases are taken back, and no others");
        for lease in held {
            self.old.push((lease.lease, false));
            self.job(lease).lose();
        }
    }

    /// What a cancel does to one job.
    fn canceled(&mut self, id: JobId) {
        self.jobs.get_mut(&id).expect("a job").cancel();
    }

    async fn delete(&mut self, job: JobId) {
        let deleted = self.fixture.store.delete_job(job).await;
        if !self.jobs[&job].status.is_terminal() {
            assert!(matches!(deleted, Err(Error::Conflict(_))), "{deleted:?}");
            return;
        }
        deleted.expect("deleted");
        self.jobs.remove(&job);
    }

    async fn delete_batch(&mut self, batch: BatchId) {
        let deleted = self.fixture.store.delete_batch(batch).await;
        let members = self.members(batch);
        if members.iter().any(|job| !self.jobs[job].status.is_terminal()) {
            assert!(matches!(deleted, Err(Error::Conflict(_))), "{deleted:?}");
            return;
        }
        deleted.expect("deleted");
        self.batches.remove(&batch);
        members.iter().for_each(|job| drop(self.jobs.remove(job)));
    }

    fn members(&self, batch: BatchId) -> Vec<JobId> {
        let is_member = |(_, job): &(&JobId, &Job)| job.batch == Some(batch);
        self.jobs.iter().filter(is_member).map(|(id, _)| *id).collect()
    }

    fn leases(&self) -> Vec<Lease> {
        self.jobs.values().filter_map(|job| job.lease).collect()
    }

    fn job(&mut self, lease: Lease) -> &mut Job {
        self.jobs.get_mut(&lease.lease.job).expect("a leased job exists")
    }
}

fn job_spec(member: &Member) -> JobSpec {
    JobSpec {
        queue: QUEUES[member.queue].to_owned(),
        priority: member.priority,
        max_attempts: member.max_attempts,
        ..spec("model")
    }
}

/// One of what there is.
fn pick<'a, T: Copy + 'a>(
    all: impl ExactSizeIterator<Item = &'a T>,
    index: proptest::sample::Index,
) -> Option<T> {
    let mut all = all;
    (all.len() > 0).then(|| all.len()).and_then(|len| all.nth(index.index(len)).copied())
}
