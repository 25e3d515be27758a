//! JobRunner's worker: it leases jobs from the store, runs their commands and reports how they
//! ended.
//!
//! # To begin
//!
//! [`Runner`] is a service and a worker inside a program of your own:
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use jobrunner_core::{NewJob, Status};
//! use jobrunner_worker::Runner;
//!
//! let directory = tempfile::tempdir()?;
//! let runner = Runner::embedded(directory.path()).slots(2).start().await?;
//! let job = |name: &str| NewJob {
//!     name: name.to_owned(),
//!     command: vec!["true".to_owned()],
//!     ..NewJob::default()
//! };
//! let batch = runner.submit_batch("nightly", vec![job("one"), job("two")]).await?;
//! let ended = runner.wait(batch.id).await?;
//! assert_eq!((ended.status, ended.counts.passed), (Status::Passed, 2));
//! runner.stop().await?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
//!
//! | to | use |
//! |---|---|
//! | keep everything in a directory | [`Runner::embedded`] |
//! | share a database with others, or bring a store or a queue of your own | [`Runner::over`] |
//! | run commands otherwise than as processes | [`Builder::executor`] |
//! | run jobs that others submit | [`Worker`], over a store, a queue and an executor |
//! | make a process of it, which follows whatever its commands start | `supervised`, with the feature `command` |
//!
//! # How a worker works
//!
//! A worker lives in sessions. Within one, [`Worker::run`] does these things side by side:
//!
//! | module | does |
//! |---|---|
//! | `exchange` | exchanges attempts that ended for jobs to run, and starts an attempt in each free slot |
//! | `attempt` | runs one command, with its output flowing into `logs` |
//! | `heartbeat` | keeps the leases, learns of cancels, and fences the worker off when it cannot |
//! | [`rescue`](jobrunner_core::rescue) | takes back the leases of other workers that went away |
//! | `drain` | lets what runs come to its end when the worker is to stop |
//!
//! A session ends when the worker is to stop, or when its leases may no longer hold: then
//! everything it runs is killed, nothing is reported, and another session begins.

mod ahead;
mod attempt;
mod backoff;
#[cfg(feature = "command")]
mod command;
mod drain;
mod exchange;
mod finish;
mod heartbeat;
mod held;
mod logs;
mod pull;
mod runner;
mod session;
#[cfg(feature = "command")]
mod supervisor;
mod sweep;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jobrunner_core::{Executor, Queue, Result, Store, config::Settings};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "command")]
pub use command::{RunWorker, local_worker};
pub use runner::{Builder, Runner};
#[cfg(feature = "command")]
pub use supervisor::{Leaving, is_restarted, supervised};
pub use sweep::sweep_leftovers;

use session::{Parts, Session};

/// How a worker works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerConfig {
    /// How many commands it runs at one time; 0 counts as 1.
    pub slots: u32,
    /// The queues it serves; empty is all.
    pub queues: Vec<String>,
    /// The name of its host; `None` asks the system. A job whose files are missing on one host is
    /// tried on another first.
    pub host: Option<String>,
    /// How long its leases hold without a renewal. It renews five times as often, or every two
    /// seconds, and kills what it runs when four fifths of this time have passed without one.
    pub lease_ttl: Duration,
    /// How long running commands may go on when the worker is to stop.
    pub drain: Duration,
    /// How many bytes of each stream of a command are stored: the head and the tail of what it
    /// writes. Up to two chunks of 64 KiB more are stored at times.
    pub max_output_bytes: u64,
}

impl WorkerConfig {
    /// As the settings say, with a slot for each processor.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            slots: default_slots(),
            queues: Vec::new(),
            host: None,
            lease_ttl: settings.lease_ttl,
            drain: settings.drain,
            max_output_bytes: settings.max_output_bytes,
        }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self::of(&Settings::default())
    }
}

/// How many jobs to run at one time when nobody says: as many as there are processors.
#[must_use]
pub fn default_slots() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(processors).unwrap_or(u32::MAX)
}

/// Runs jobs until it is told to stop.
pub struct Worker {
    parts: Arc<Parts>,
}

impl Worker {
    /// A worker that does nothing yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        queue: Arc<dyn Queue>,
        executor: Arc<dyn Executor>,
        config: WorkerConfig,
    ) -> Self {
        let ring_memory = logs::RingMemory::default();
        Self { parts: Arc::new(Parts { store, queue, executor, config, ring_memory }) }
    }

    /// Claims and runs jobs until `shutdown` is canceled, then drains: claims nothing more, gives
    /// back what was not started, lets running commands go on for [`WorkerConfig::drain`], ends
    /// those that are left so that another worker runs them again, and says good-bye to the store.
    /// When it returns, nothing of it is running any more.
    ///
    /// A store that is away for a while is waited for.
    ///
    /// **Cancel safety**: dropping the future kills every running command without grace. The store
    /// learns of it when the leases expire.
    ///
    /// # Errors
    /// The store refuses to open a session, other than by being unavailable.
    // Boxed, so that the loop is compiled here and not in every program that awaits it.
    pub fn run(self, shutdown: CancellationToken) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let mut before = None;
            while let Some(session) = Session::open(&self.parts, before, &shutdown).await? {
                before = session.run().await;
            }
            Ok(())
        })
    }
}
