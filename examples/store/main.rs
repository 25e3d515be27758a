//! A store of your own: everything in memory, decided by the engine that the other stores ask.
//!
//! `cargo run -p jobrunner-examples --example store`
//!
//! A store finds rows, locks them and writes them; what follows is decided by
//! [`jobrunner_core::store::engine`]. Here rows are entries of maps, and the lock is a mutex: each
//! method takes it once, so each is one transaction. [`state`] is what is stored and how it
//! changes, [`turns`] what waits and whose turn it is; the other modules are the roles of a store.

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

mod accounts;
mod claim;
mod history;
mod jobs;
mod known_issues;
mod leases;
mod lists;
mod logs;
mod notifications;
mod projects;
mod results;
mod state;
mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jobrunner_core::{
    Batch, NewJob, Result, config::Settings, connect::Backends, queue::LocalQueue,
};
use jobrunner_worker::Runner;

use state::State;

/// A store that forgets everything with its process.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<State>>);

impl Memory {
    /// Nobody else reads or writes until this is dropped; no change is left half made, since those
    /// that can fail do so before they begin.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let batch = run_in_memory().await?;
    println!("{}: {} passed, {} failed", batch.status, batch.counts.passed, batch.counts.failed);
    Ok(())
}

/// Runs a batch of a hundred jobs, of which one fails.
async fn run_in_memory() -> Result<Batch> {
    let backends =
        Backends { store: Arc::new(Memory::default()), queue: Arc::new(LocalQueue::new()) };
    let secret = "a secret that signs tokens and has 32 bytes or more";
    let settings = Settings { jwt_secret: Some(secret.into()), ..Settings::default() };
    let runner = Runner::over(backends).settings(settings).slots(2).start().await?;
    let job = |number: u32| NewJob {
        name: format!("number {number}"),
        command: vec![if number == 50 { "false" } else { "true" }.to_owned()],
        ..NewJob::default()
    };
    let batch = runner.submit_batch("a hundred", (0..100).map(job).collect::<Vec<_>>()).await?;
    let ended = runner.wait(batch.id).await?;
    runner.stop().await?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use jobrunner_core::{store_conformance, store_model, testkit::Fixture};

    use super::*;

    async fn memory() -> Fixture {
        Fixture::new(Arc::new(Memory::default()), ())
    }

    store_conformance!(memory);
    store_model!(memory, 64);

    #[tokio::test]
    async fn a_batch_runs_to_its_end_in_memory() {
        let batch = run_in_memory().await.expect("a batch that ran");
        assert_eq!((batch.counts.passed, batch.counts.failed), (99, 1));
    }
}
