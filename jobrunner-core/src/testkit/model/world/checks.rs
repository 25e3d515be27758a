use std::collections::BTreeMap;

use super::{End, World, jobs::Job};
use crate::{
    JobId, Status,
    batch::{Batch, BatchFilter, Counts},
    job::JobFilter,
    page::PageRequest,
    user::Scope,
};

impl World {
    /// Compares everything there is with the model.
    pub(in super::super) async fn check(&mut self) {
        let store = &self.fixture.store;
        let filter = JobFilter::default();
        let page = store.jobs(Scope::All, &filter, PageRequest::first(1000)).await.expect("a list");
        let stored: BTreeMap<JobId, _> = page.items.into_iter().map(|job| (job.id, job)).collect();
        assert_eq!(stored.len(), self.jobs.len(), "nothing is lost, nothing is left");
        for (id, job) in &self.jobs {
            let stored = &stored[id];
            assert_eq!(stored.status, job.status, "P2: {id} {job:?}");
            assert_eq!(stored.attempt as usize, job.attempts.len(), "P4: {id} {job:?}");
            assert_eq!(stored.finished_at.is_some(), job.status.is_terminal(), "P2: {id} {job:?}");
            assert_eq!(stored.flaky, job.is_flaky(), "P4: {id} {job:?}");
            assert_eq!(stored.skipped, job.is_skipped(), "P4: {id} {job:?}");
        }
        for owner in self.owners {
            let counts = store.counts(Scope::Owner(owner), None).await.expect("counts");
            let statuses = self.jobs.values().filter(|job| job.owner == owner);
            let counted = count(statuses.map(|job| job.status));
            assert_eq!(counts, counted, "P5: the counts of an owner equal a recount");
        }
        self.check_batches().await;
    }

    async fn check_batches(&mut self) {
        let filter = BatchFilter::default();
        let page = self.fixture.store.batches(Scope::All, &filter, PageRequest::first(1000)).await;
        let stored = page.expect("a list").items;
        assert_eq!(stored.len(), self.batches.len(), "no batch is lost, none is left");
        for batch in stored {
            let statuses: Vec<Status> =
                self.members(batch.id).into_iter().map(|job| self.jobs[&job].status).collect();
            let counted = count(statuses.into_iter());
            assert_eq!(batch.counts, counted, "P5: the counts of a batch equal a recount");
            let members = self.members(batch.id);
            let count =
                |is: fn(&Job) -> bool| members.iter().filter(|id| is(&self.jobs[*id])).count();
            let marked = (count(Job::is_flaky) as u64, count(Job::is_skipped) as u64);
            assert_eq!((batch.flaky, batch.skipped), marked, "P5: marks equal a recount");
            let (_, ended) = self.batches.get_mut(&batch.id).expect("a known batch");
            if batch.counts.total == 0 {
                continue;
            }
            match ended {
                // Members that are deleted afterwards change what is counted, not how it ended.
                Some(ended) => {
                    ended.counts = batch.counts;
                    ended.flaky = batch.flaky;
                    ended.skipped = batch.skipped;
                    assert_eq!(*ended, batch, "P5: a batch finishes once");
                }
                None => {
                    check_status(&batch);
                    *ended = Some(batch).filter(|batch| batch.finished_at.is_some());
                }
            }
        }
    }

    /// Compares the attempts of every job with the model.
    pub(in super::super) async fn check_attempts(&self) {
        for (id, job) in &self.jobs {
            let stored = self.fixture.store.attempts(*id).await.expect("attempts");
            let numbers: Vec<usize> = stored.iter().map(|a| a.attempt as usize).collect();
            assert_eq!(numbers, (1..=job.attempts.len()).collect::<Vec<_>>(), "P4: {id}");
            for (stored, expected) in stored.iter().zip(&job.attempts) {
                let reason = stored.result.as_ref().map(|result| result.reason);
                assert_eq!(reason, expected.map(End::reason), "P4: {id} {stored:?}");
            }
        }
    }
}

fn count(statuses: impl Iterator<Item = Status>) -> Counts {
    let mut by_status = [0; 5];
    for status in statuses {
        let place = Status::ALL.iter().position(|known| *known == status).expect("a status");
        by_status[place] += 1;
    }
    Counts::new(by_status)
}

/// The rule of the contract, written down once more.
fn check_status(batch: &Batch) {
    let counts = batch.counts;
    let ended = counts.waiting + counts.running == 0;
    assert_eq!(batch.finished_at.is_some(), ended, "P5: {batch:?}");
    let expected = match () {
        () if !ended && batch.started_at.is_none() => Status::Waiting,
        () if !ended => Status::Running,
        () if counts.failed > 0 => Status::Failed,
        () if counts.canceled > 0 => Status::Canceled,
        () => Status::Passed,
    };
    assert_eq!(batch.status, expected, "P5: {batch:?}");
}
