//! Waiting for a batch or a job to end.

use std::time::{Duration, Instant};

use jobrunner_core::{Batch, BatchId, Job, JobId, Status, daemon::Trouble, log::gap_marker};

use crate::{
    client::{Client, LogEvent},
    exit::{Context, Exit, Failure},
    output::{self, JobOutput},
    progress::Progress,
    results::Results,
    tables::in_short,
};

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

/// What became of a wait.
pub(crate) enum Waited<T> {
    /// It was worth it.
    For(T),
    /// It ended before, and the command ends so.
    InVain(Exit),
}

/// Waits, but not for longer than `limit` and not when somebody presses Ctrl-C. What is waited for
/// goes on then; `hint` says how to find it again.
pub(crate) async fn until<T>(
    limit: Option<Duration>,
    hint: &str,
    wait: impl Future<Output = Result<T, Failure>>,
) -> Result<Waited<T>, Failure> {
    let enough = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        ended = wait => Ok(Waited::For(ended?)),
        () = enough => {
            output::note(&format!("gave up waiting; {hint}"));
            Ok(Waited::InVain(Exit::GaveUp))
        }
        pressed = tokio::signal::ctrl_c() => {
            pressed.context(Trouble::Os, || "cannot listen for signals".to_owned())?;
            output::note(&format!("interrupted; {hint}"));
            Ok(Waited::InVain(Exit::Interrupted))
        }
    }
}

/// Waits for the end of a job in silence.
pub(crate) async fn job_in_silence(client: &Client, id: JobId) -> Result<Job, Failure> {
    let mut patience = Patience::default();
    loop {
        let job = patience.bear(client.job(id).await)?;
        if let Some(ended) = job.filter(|job| job.status.is_terminal()) {
            return Ok(ended);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for the end of a batch in silence.
pub(crate) async fn batch_in_silence(client: &Client, id: BatchId) -> Result<Batch, Failure> {
    let mut patience = Patience::default();
    loop {
        let batch = patience.bear(client.batch(id).await)?;
        if let Some(ended) = batch.filter(|batch| batch.status.is_terminal()) {
            return Ok(ended);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints what a job writes, through all its attempts, until it has ended. Where output was not
/// kept, a line in its place says how much.
pub(crate) async fn output_of(client: &Client, id: JobId) -> Result<(), Failure> {
    let mut events = client.follow(id);
    let mut shown = JobOutput::default();
    loop {
        match events.next().await? {
            LogEvent::Output { attempt, stream, bytes } => {
                shown.begin(attempt)?;
                shown.print(stream, &bytes)?;
            }
            LogEvent::Gap { attempt, stream, omitted } => {
                shown.begin(attempt)?;
                shown.print(stream, gap_marker(omitted).as_bytes())?;
            }
            LogEvent::End => return shown.finish(),
        }
    }
}

/// Shows the progress of a batch until it has ended.
pub(crate) async fn batch(results: &dyn Results, id: BatchId) -> Result<Batch, Failure> {
    Follower::new().until(results, id, |_| false).await
}

/// Shows the progress of a batch.
pub(crate) struct Follower {
    progress: Progress,
    patience: Patience,
    failed: u64,
}

impl Follower {
    pub(crate) fn new() -> Self {
        Self { progress: Progress::new(), patience: Patience::default(), failed: 0 }
    }

    /// Goes on until the batch has ended, or is as it is waited for.
    pub(crate) async fn until(
        &mut self,
        results: &dyn Results,
        id: BatchId,
        is_enough: impl Fn(&Batch) -> bool,
    ) -> Result<Batch, Failure> {
        loop {
            if let Some(batch) = self.patience.bear(results.batch(id).await)? {
                self.progress.show(&batch);
                if batch.counts.failed > self.failed {
                    let told = tell_failures(results, &batch, self.failed, &self.progress).await;
                    self.failed = self.patience.bear(told)?.unwrap_or(self.failed);
                }
                if batch.status.is_terminal() || is_enough(&batch) {
                    return Ok(batch);
                }
            }
            results.pause().await;
        }
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
            let error = in_short(job.error.as_deref().unwrap_or("failed"));
            progress.say(&format!("failed: {} ({error})", job.spec.name));
        }
        return Ok(failed.len() as u64);
    }
    Ok(batch.counts.failed)
}
