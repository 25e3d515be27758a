//! Waiting for a batch or a job to end.

use std::time::{Duration, Instant};

use jobrunner_core::{Batch, BatchId, Status};

use crate::{exit::Failure, progress::Progress, results::Results};

/// How often the server is asked while something runs.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// How long a server may be away before waiting for it makes no sense any more.
const AWAY_LIMIT: Duration = Duration::from_secs(60);

/// Remembers since when the server cannot be reached.
#[derive(Default)]
pub(crate) struct Patience {
    away_since: Option<Instant>,
}

impl Patience {
    /// Passes an answer on; `None` when the server is away, but not for too long yet.
    pub(crate) fn bear<T>(&mut self, answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match answer {
            Ok(answer) => {
                self.away_since = None;
                Ok(Some(answer))
            }
            Err(failure) if failure.is_unreachable() => {
                let since = *self.away_since.get_or_insert_with(Instant::now);
                if since.elapsed() > AWAY_LIMIT { Err(failure) } else { Ok(None) }
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Shows the progress of a batch until it has ended; `None` when `limit` has passed before.
pub(crate) async fn batch(
    results: &dyn Results,
    id: BatchId,
    limit: Option<Duration>,
) -> Result<Option<Batch>, Failure> {
    let started = Instant::now();
    let mut progress = Progress::new();
    let mut patience = Patience::default();
    let mut failed = 0;
    loop {
        if let Some(batch) = patience.bear(results.batch(id).await)? {
            progress.show(&batch);
            if batch.counts.failed > failed {
                failed = tell_failures(results, &batch, failed, &progress).await?;
            }
            if batch.status.is_terminal() {
                return Ok(Some(batch));
            }
        }
        if limit.is_some_and(|limit| started.elapsed() >= limit) {
            return Ok(None);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The most failures that are told one by one while a batch runs.
const TOLD: u64 = 20;

/// Names jobs that failed since `before` were known; answers how many are known now.
async fn tell_failures(
    results: &dyn Results,
    batch: &Batch,
    before: u64,
    progress: &Progress,
) -> Result<u64, Failure> {
    if before < TOLD {
        let page = results.jobs(batch.id, Some(Status::Failed), None, 100).await?;
        let mut failed = page.items;
        failed.sort_by_key(|job| job.finished_at);
        let already = usize::try_from(before).unwrap_or(usize::MAX);
        for job in failed.iter().skip(already) {
            let error = job.error.as_deref().unwrap_or("failed");
            progress.say(&format!("failed: {} ({error})", job.spec.name));
        }
        return Ok(failed.len() as u64);
    }
    Ok(batch.counts.failed)
}
