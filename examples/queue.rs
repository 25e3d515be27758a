//! A queue of your own: it keeps the ids of waiting jobs in memory, and proposes them to workers,
//! owner by owner.
//!
//! `cargo run -p jobrunner-examples --example queue`

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jobrunner_core::{
    Batch, JobId, NewJob, Queue, Result, UserId,
    config::Settings,
    connect::Backends,
    queue::{Candidates, Hint, Link, LocalQueue, Wakeup},
    store::sqlite::SqliteStore,
};
use jobrunner_worker::Runner;

/// How many waiting jobs are remembered at most. Workers find the others in the store.
const MOST: usize = 100_000;

/// The jobs of one owner that wait in one queue.
struct Lane {
    queue: String,
    owner: UserId,
    jobs: VecDeque<JobId>,
}

/// Proposes the waiting jobs that it knows, one of each lane in turn, and sends a worker for which
/// it knows none to the store. It may forget everything at any time: nothing but speed is lost.
struct Rounds {
    lanes: Mutex<VecDeque<Lane>>,
    /// Wakes those who wait within this process.
    wakeups: LocalQueue,
}

impl Rounds {
    fn new() -> Self {
        Self { lanes: Mutex::default(), wakeups: LocalQueue::new() }
    }

    fn remember(&self, id: JobId, name: &str, of: UserId) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.iter().map(|lane| lane.jobs.len()).sum::<usize>() >= MOST {
            return;
        }
        match lanes.iter_mut().find(|lane| lane.queue == name && lane.owner == of) {
            Some(lane) => lane.jobs.push_back(id),
            None => {
                let jobs = VecDeque::from([id]);
                lanes.push_back(Lane { queue: name.to_owned(), owner: of, jobs });
            }
        }
    }

    /// Takes up to so many jobs of these queues (empty is all).
    fn take(&self, queues: &[String], want: usize) -> Vec<JobId> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while taken.len() < want {
            let is_served = |lane: &Lane| queues.is_empty() || queues.contains(&lane.queue);
            let Some(at) = lanes.iter().position(is_served) else { break };
            let Some(mut lane) = lanes.remove(at) else { break };
            taken.extend(lane.jobs.pop_front());
            if !lane.jobs.is_empty() {
                lanes.push_back(lane);
            }
        }
        taken
    }
}

#[async_trait]
impl Queue for Rounds {
    async fn offer(&self, hints: &[Hint]) {
        for hint in hints {
            // Members of a batch are not named; whoever asks is sent to the store for them.
            if let Hint::Job { job, queue, owner, .. } = hint {
                self.remember(*job, queue, *owner);
            }
        }
        self.wakeups.offer(hints).await;
    }

    async fn candidates(&self, queues: &[String], want: u32) -> Candidates {
        let taken = self.take(queues, want as usize);
        if taken.is_empty() { Candidates::AskStore } else { Candidates::Ids(taken) }
    }

    async fn announce(&self, wakeup: Wakeup) {
        self.wakeups.announce(wakeup).await;
    }

    fn wakeups(&self) -> BoxStream<'static, Wakeup> {
        self.wakeups.wakeups()
    }

    async fn link(&self) -> Link {
        Link::None
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let batch = run_over(directory.path(), Arc::new(Rounds::new())).await?;
    println!("{}: {} passed", batch.status, batch.counts.passed);
    Ok(())
}

/// Runs a job, and a batch, by hints of this queue.
async fn run_over(directory: &Path, queue: Arc<dyn Queue>) -> Result<Batch> {
    let store = Arc::new(SqliteStore::open(&directory.join("store.sqlite3")).await?);
    let secret = "a secret that signs tokens and has 32 bytes or more";
    let settings = Settings { jwt_secret: Some(secret.into()), ..Settings::default() };
    let runner = Runner::over(Backends { store, queue }).settings(settings).slots(2);
    let runner = runner.start().await?;
    let job = |number: u32| NewJob {
        name: format!("number {number}"),
        command: vec!["true".to_owned()],
        ..NewJob::default()
    };
    let single = runner.submit_job(job(0)).await?;
    runner.wait_for_job(single.id).await?;
    let batch = runner.submit_batch("many", (1..=20).map(job).collect::<Vec<_>>()).await?;
    let ended = runner.wait(batch.id).await?;
    runner.stop().await?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use jobrunner_core::queue_conformance;

    use super::*;

    async fn rounds() -> (Arc<dyn Queue>, ()) {
        (Arc::new(Rounds::new()), ())
    }

    queue_conformance!(rounds);

    #[tokio::test]
    async fn jobs_run_by_its_hints_and_without_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let batch = run_over(directory.path(), Arc::new(Rounds::new())).await.expect("it ran");
        assert_eq!((batch.counts.passed, batch.counts.total), (20, 20));
    }
}
