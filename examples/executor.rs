//! An executor of your own: jobs say in their payload how many gigabytes they need, and no more of
//! them run at one time than fit.
//!
//! `cargo run -p jobrunner-examples --example executor`

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use jobrunner_core::{
    Batch, Executor, JobSpec, NewJob, Result,
    attempt::{Outcome, Reason},
    executor::{Containment, ProcessExecutor, ProcessSettings, Run, RunContext},
    report::Report,
};
use jobrunner_worker::Runner;
use tokio::sync::Semaphore;

/// Runs commands as another executor does, when there is room for them.
struct Roomy<E> {
    inner: E,
    gigabytes: Arc<Semaphore>,
    most: u32,
}

impl<E> Roomy<E> {
    fn new(inner: E, most: u32) -> Self {
        Self { inner, gigabytes: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// What a job needs; one that needs more than there is gets all of it.
    fn need(&self, spec: &JobSpec) -> u32 {
        let asked = spec.payload.get("gigabytes").and_then(serde_json::Value::as_u64);
        asked.and_then(|asked| u32::try_from(asked).ok()).unwrap_or(1).min(self.most)
    }
}

#[async_trait]
impl<E: Executor> Executor for Roomy<E> {
    fn containment(&self) -> Containment {
        self.inner.containment()
    }

    async fn run(&self, run: &Run, context: RunContext) -> Outcome {
        let room = Arc::clone(&self.gigabytes).acquire_many_owned(self.need(&run.spec));
        // The permits go back when this returns or is dropped.
        match context.stop.run_until_cancelled(room).await {
            Some(Ok(_room)) => self.inner.run(run, context).await,
            Some(Err(_)) | None => Outcome {
                reason: Some(Reason::Canceled),
                exit_code: None,
                signal: None,
                error: Some("was canceled while it waited for memory".to_owned()),
                duration: Duration::ZERO,
            },
        }
    }

    async fn report(&self, run: &Run, since: SystemTime) -> Report {
        self.inner.report(run, since).await
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let batch = run_heavy(directory.path()).await?;
    println!("{}: {} passed", batch.status, batch.counts.passed);
    Ok(())
}

/// Eight jobs of three gigabytes, of which two fit at one time, in eight slots.
async fn run_heavy(directory: &std::path::Path) -> Result<Batch> {
    // Fails where a third one runs: the others have left their files.
    let script = "mkdir mine.$$ && [ $(ls -d mine.* | wc -l) -le 2 ]
        ok=$?; sleep 0.05; rmdir mine.$$; exit $ok";
    let job = |number: u32| NewJob {
        name: format!("heavy {number}"),
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        working_dir: Some(directory.display().to_string()),
        payload: [("gigabytes".to_owned(), 3.into())].into_iter().collect(),
        ..NewJob::default()
    };
    let executor = Roomy::new(ProcessExecutor::new(ProcessSettings::default()), 7);
    let runner = Runner::embedded(directory.join("data")).slots(8).executor(executor);
    let runner = runner.start().await?;
    let batch = runner.submit_batch("heavy", (0..8).map(job).collect::<Vec<_>>()).await?;
    let ended = runner.wait(batch.id).await?;
    runner.stop().await?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use jobrunner_core::{executor_conformance, testkit::executor::ExecutorFixture};

    use super::*;

    async fn roomy() -> ExecutorFixture {
        ExecutorFixture::new(|grace| {
            let mut settings = ProcessSettings::default();
            settings.grace = grace;
            Arc::new(Roomy::new(ProcessExecutor::new(settings), 7))
        })
    }

    executor_conformance!(roomy);

    #[tokio::test]
    async fn no_more_run_at_one_time_than_fit() {
        let directory = tempfile::tempdir().expect("a directory");
        let batch = run_heavy(directory.path()).await.expect("a batch that ran");
        assert_eq!((batch.counts.passed, batch.counts.total), (8, 8));
    }
}
