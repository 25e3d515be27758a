use std::sync::Arc;

use clap::{Args, value_parser};
use futures_util::future::BoxFuture;
use jobrunner_core::{
    config::{Cgroup, Settings},
    connect::{self, Backends},
    daemon::{self, Fatal, Variables},
    executor::{ControlGroups, ProcessExecutor, ProcessSettings, Reaper},
    job::check_queue,
};

use crate::{Leaving, Worker, WorkerConfig, default_slots};

/// A worker: it runs the jobs that wait in the database that DATABASE_URL names.
///
/// Any number of workers can share a database, on any number of machines that see the same files.
/// SIGTERM drains it: it takes no new jobs and lets those it runs end, for DRAIN_SECONDS. Settings
/// are read from the environment and from a file `.env` here; see the README for all of them.
#[derive(Debug, Args)]
pub struct RunWorker {
    /// How many jobs to run at one time [default: number of CPUs]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=4096))]
    slots: Option<u32>,
    /// The queues to serve, separated by commas [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = queue)]
    queues: Vec<String>,
    /// End when the process that does the work is killed, rather than start another
    #[arg(long)]
    no_restart: bool,
}

impl RunWorker {
    /// What becomes of the worker when its runner is killed.
    #[must_use]
    pub const fn leaving(&self) -> Leaving {
        if self.no_restart { Leaving::IsTheEnd } else { Leaving::IsRestarted }
    }

    /// Works until a signal drains it, in a process whose orphans `reaper` collects; see
    /// [`supervised`](crate::supervised).
    ///
    /// # Errors
    /// The settings or the database cannot be used.
    pub fn run(self, reaper: Reaper) -> BoxFuture<'static, Result<(), Fatal>> {
        Box::pin(self.work(reaper))
    }

    async fn work(self, reaper: Reaper) -> Result<(), Fatal> {
        let variables = Variables::of_service()?;
        variables.start_log("info")?;
        let settings = variables.settings()?;
        daemon::keep_to_itself()?;
        daemon::set_umask(settings.umask);
        let stop = daemon::stop_on_signals()?;
        let Some(backends) = connect::backends_in_time(&settings, &stop).await? else {
            return Ok(());
        };
        let slots = self.slots.unwrap_or_else(default_slots);
        local_worker(backends, &settings, reaper, slots, self.queues).run(stop).await?;
        Ok(())
    }
}

/// A worker that runs commands as processes of this machine, as the settings say. It serves all
/// queues if none is named.
#[must_use]
pub fn local_worker(
    backends: Backends,
    settings: &Settings,
    reaper: Reaper,
    slots: u32,
    queues: Vec<String>,
) -> Worker {
    let mut processes = ProcessSettings::default();
    processes.grace = settings.kill_grace;
    processes.allowed_roots = settings.allowed_workdirs.clone();
    processes.loading_variables = settings.loading_variables.clone();
    processes.reaper = Some(reaper);
    processes.cgroups = control_groups(settings);
    let executor = ProcessExecutor::new(processes);
    let config = WorkerConfig { slots, queues, ..WorkerConfig::of(settings) };
    Worker::new(backends.store, backends.queue, Arc::new(executor), config)
}

/// Where commands get control groups. A worker does without rather than not run.
fn control_groups(settings: &Settings) -> Option<ControlGroups> {
    let most = settings.max_processes;
    let found = match &settings.cgroup {
        Cgroup::Off => Ok(None),
        Cgroup::Delegated => ControlGroups::delegated(most),
        Cgroup::Below(directory) => ControlGroups::below(directory, most).map(Some),
    };
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "commands get no control groups; see JOB_CGROUP");
        None
    })
}

fn queue(name: &str) -> Result<String, String> {
    check_queue(name).map(|()| name.to_owned()).map_err(|violation| violation.message)
}
