//! Workers in this process that run nothing: what is left is what a service does about a job.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jobrunner_core::{
    Executor,
    attempt::Outcome,
    config::Settings,
    connect::{self, Backends},
    executor::{Run, RunContext},
};
use jobrunner_worker::{Worker, WorkerConfig};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::site::{Crew, Site};

/// A command that passes at once.
struct Nothing;

#[async_trait]
impl Executor for Nothing {
    async fn run(&self, _run: &Run, _context: RunContext) -> Outcome {
        Outcome {
            reason: None,
            exit_code: Some(0),
            signal: None,
            error: None,
            duration: Duration::from_micros(1),
        }
    }
}

/// Workers, each with connections of its own.
pub(crate) struct Workers {
    /// When all of them were connected and began.
    pub(crate) since: Instant,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Workers {
    /// Starts workers for a site that has none.
    pub(crate) async fn start(site: &Site, crew: Crew) -> Self {
        let mut all = Vec::new();
        for _ in 0..crew.workers {
            all.push(backends(site).await);
        }
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        let since = Instant::now();
        for Backends { store, queue } in all {
            let mut config = WorkerConfig::default();
            config.slots = u32::try_from(crew.slots).expect("few");
            config.drain = Duration::from_secs(1);
            let worker = Worker::new(store, queue, Arc::new(Nothing), config);
            let stop = stop.clone();
            running.spawn(async move { worker.run(stop).await.expect("a clean end") });
        }
        Self { since, stop, running }
    }

    /// Ends them, and returns when they have ended.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.running.join_all().await;
    }
}

/// Connections to the servers of a site, as one of its processes has them.
pub(crate) async fn backends(site: &Site) -> Backends {
    let vars: HashMap<&str, &str> = site.settings().collect();
    let settings = Settings::from_vars(|name| vars.get(name).map(|value| (*value).into()));
    connect::backends(&settings.expect("settings")).await.expect("backends")
}
