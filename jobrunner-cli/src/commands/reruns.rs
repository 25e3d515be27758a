//! What became of a batch with all that was submitted again of it.

use std::collections::HashMap;

use jobrunner_core::{Batch, BatchId, Counts, JobId, Status};
use serde::{Deserialize, Serialize};

use crate::{
    client::{Client, Pages, routes},
    exit::Failure,
};

/// The reruns of a batch, and those of its reruns.
pub(crate) struct Reruns {
    /// The oldest first.
    pub(crate) all: Vec<Batch>,
    /// What the batch comes to with the newest results of its jobs; `None` if it has no reruns, or
    /// if nobody can tell, since a server of an earlier version made them.
    pub(crate) merged: Option<Merged>,
}

/// What several batches come to together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Merged {
    pub(crate) status: Status,
    pub(crate) counts: Counts,
}

/// Finds them: they are younger than the batch and have its name.
pub(crate) async fn of(client: &Client, batch: &Batch) -> Result<Reruns, Failure> {
    let filters = vec![("name", batch.name.clone())];
    let younger = Pages::new(client, routes::BATCHES, filters, usize::MAX);
    let mut younger: Vec<Batch> = younger.since(Some(batch.created_at)).all().await?;
    younger.reverse();
    let mut known = vec![batch.id];
    let mut all = Vec::new();
    for candidate in younger {
        if candidate.rerun_of.is_some_and(|first| known.contains(&first)) {
            known.push(candidate.id);
            all.push(candidate);
        }
    }
    let merged = match merged(batch, &all) {
        _ if all.is_empty() => None,
        None => merged_by_jobs(client, batch, &all).await?,
        merged => merged,
    };
    Ok(Reruns { all, merged })
}

/// A job, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Member {
    id: JobId,
    #[serde(default)]
    rerun_of: Option<JobId>,
    status: Status,
}

/// The same where the counts do not tell, since jobs were submitted again before all had ended: the
/// jobs tell which they repeat.
async fn merged_by_jobs(
    client: &Client,
    batch: &Batch,
    reruns: &[Batch],
) -> Result<Option<Merged>, Failure> {
    let mut newest = Newest::default();
    for of in std::iter::once(batch).chain(reruns) {
        let filters = vec![("batch_id", of.id.to_string())];
        let mut jobs = Pages::new(client, routes::JOBS, filters, usize::MAX);
        while let Some(job) = jobs.next().await? {
            if !newest.add(&job.read()?, of.id == batch.id) {
                return Ok(None);
            }
        }
    }
    Ok(Some(newest.merged()))
}

/// The newest status of each job of a batch.
#[derive(Debug, Default)]
struct Newest {
    /// The first job, by those that repeat it and by itself.
    first: HashMap<JobId, JobId>,
    statuses: HashMap<JobId, Status>,
}

impl Newest {
    /// Takes a job, of the batch itself or of a rerun; older batches come first. Answers whether it
    /// is known what it repeats.
    fn add(&mut self, job: &Member, is_first: bool) -> bool {
        let first = match job.rerun_of {
            _ if is_first => Some(job.id),
            // It may have been deleted from its batch.
            Some(of) => Some(self.first.get(&of).copied().unwrap_or(of)),
            None => None,
        };
        let Some(first) = first else { return false };
        self.first.insert(job.id, first);
        self.statuses.insert(first, job.status);
        true
    }

    fn merged(&self) -> Merged {
        let number = |status: Status| self.statuses.values().filter(|it| **it == status).count();
        let counts = Counts::new(Status::ALL.map(|status| number(status) as u64));
        Merged { status: counts.batch_status(true), counts }
    }
}

fn merged(batch: &Batch, reruns: &[Batch]) -> Option<Merged> {
    let counts = with_newest(batch, reruns)?;
    Some(Merged { status: counts.batch_status(true), counts })
}

/// The counts of a batch in which what was submitted again counts as it stands there.
fn with_newest(batch: &Batch, reruns: &[Batch]) -> Option<Counts> {
    let is_of = |id: BatchId| move |rerun: &&Batch| rerun.rerun_of == Some(id);
    // The newest one has everything that an earlier one had.
    let Some(newest) = reruns.iter().rfind(is_of(batch.id)) else { return Some(batch.counts) };
    let again = with_newest(newest, reruns)?;
    let Counts { total, failed, canceled, .. } = batch.counts;
    let was_over = batch.finished_at.is_some_and(|end| end <= newest.created_at);
    if newest.counts.total == total {
        return Some(again);
    }
    if !was_over || newest.counts.total != failed + canceled {
        return None;
    }
    let passed = batch.counts.passed + again.passed;
    Some(Counts::new([again.waiting, again.running, passed, again.failed, again.canceled]))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use jobrunner_core::UserId;
    use serde_json::Map;

    use super::*;

    fn batch(of: Option<BatchId>, at: i64, counts: [u64; 5]) -> Batch {
        let moment = |seconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let counts = Counts::new(counts);
        Batch {
            project: None,
            id: BatchId::new(),
            name: "nightly".to_owned(),
            description: None,
            payload: Map::new(),
            owner_id: UserId::new(),
            rerun_of: of,
            status: counts.batch_status(true),
            counts,
            flaky: 0,
            skipped: 0,
            series: None,
            series_id: None,
            revision: None,
            gate: None,
            verdict: None,
            created_at: moment(at),
            started_at: Some(moment(at)),
            finished_at: counts.all_ended().then(|| moment(at + 5)),
        }
    }

    fn told(batch: &Batch, reruns: &[Batch]) -> Option<(Status, [u64; 5])> {
        merged(batch, reruns)
            .map(|merged| (merged.status, Status::ALL.map(|s| merged.counts.of(s))))
    }

    #[test]
    fn failures_that_were_submitted_again_count_as_they_stand_there() {
        let first = batch(None, 0, [0, 0, 97, 2, 1]);
        let second = batch(Some(first.id), 10, [0, 0, 2, 1, 0]);
        let third = batch(Some(second.id), 20, [0, 0, 1, 0, 0]);
        assert_eq!(
            told(&first, std::slice::from_ref(&second)),
            Some((Status::Failed, [0, 0, 99, 1, 0]))
        );
        let both = [second, third];
        assert_eq!(told(&first, &both), Some((Status::Passed, [0, 0, 100, 0, 0])));
    }

    #[test]
    fn the_newest_of_several_reruns_of_one_batch_counts() {
        let first = batch(None, 0, [0, 0, 8, 2, 0]);
        let one = batch(Some(first.id), 10, [0, 0, 0, 2, 0]);
        let other = batch(Some(first.id), 20, [1, 0, 1, 0, 0]);
        assert_eq!(told(&first, &[one, other]), Some((Status::Running, [1, 0, 9, 0, 0])));
        let all = batch(Some(first.id), 30, [0, 0, 9, 1, 0]);
        assert_eq!(told(&first, &[all]), Some((Status::Failed, [0, 0, 9, 1, 0])));
    }

    #[test]
    fn jobs_that_were_submitted_again_early_count_as_they_stand_there() {
        let job = |rerun_of: Option<JobId>, status| Member { id: JobId::new(), rerun_of, status };
        let first = [Status::Passed, Status::Failed, Status::Failed, Status::Passed];
        let first = first.map(|status| job(None, status));
        let again = job(Some(first[1].id), Status::Failed);
        let third = [job(Some(again.id), Status::Passed), job(Some(first[2].id), Status::Running)];
        let mut newest = Newest::default();
        assert!(first.iter().all(|job| newest.add(job, true)));
        assert!([&again, &third[0], &third[1]].into_iter().all(|job| newest.add(job, false)));
        let merged = newest.merged();
        let counts = Status::ALL.map(|status| merged.counts.of(status));
        assert_eq!((merged.status, counts), (Status::Running, [0, 1, 3, 0, 0]));
        // Of a rerun by an earlier version nobody knows.
        assert!(!newest.add(&job(None, Status::Passed), false));
    }

    #[test]
    fn what_counts_cannot_tell_is_not_told_by_them() {
        let running = batch(None, 0, [0, 5, 3, 2, 0]);
        let early = batch(Some(running.id), 1, [0, 0, 2, 0, 0]);
        assert_eq!(told(&running, &[early]), None);
        let ended = batch(None, 0, [0, 0, 5, 5, 0]);
        let before_the_end = batch(Some(ended.id), 3, [0, 0, 3, 0, 0]);
        assert_eq!(told(&ended, &[before_the_end]), None);
    }
}
