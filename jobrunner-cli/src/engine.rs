//! The embedded service with a worker, in this process.

use std::{path::Path, sync::Arc};

use jobrunner_core::{
    JobId, Principal,
    config::Settings,
    connect::{self, Embedded},
    executor::{ProcessExecutor, ProcessSettings},
};
use jobrunner_worker::{Worker, WorkerConfig, sweep_leftovers};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::exit::{Context, Failure};

/// Opens the service in a directory and clears away what an earlier process left running there.
pub(crate) async fn open(directory: &Path, settings: &Settings) -> Result<Embedded, Failure> {
    let embedded = connect::embedded(directory, settings).await?;
    let lost: Vec<JobId> = embedded.rescued.iter().map(|rescued| rescued.lease.job).collect();
    if !lost.is_empty() {
        tracing::warn!(jobs = lost.len(), "an earlier process died while it ran jobs");
        let swept = tokio::task::spawn_blocking(move || sweep_leftovers(&lost)).await;
        let killed = swept.context(|| "cannot look for leftover processes".to_owned())?;
        let killed =
            killed.context(|| "cannot end what an earlier process left running".to_owned())?;
        tracing::info!(killed, "ended what it had left running");
    }
    Ok(embedded)
}

/// The account that this process acts for, and its password if the account was just made with a
/// random one.
pub(crate) struct Admin {
    pub(crate) principal: Principal,
    pub(crate) password: Option<SecretString>,
}

/// Makes the first admin if there is no account yet.
pub(crate) async fn admin(embedded: &Embedded, settings: &Settings) -> Result<Admin, Failure> {
    let service = &embedded.service;
    let (password, random) = match &settings.admin_password {
        Some(password) => (password.clone(), false),
        None => (connect::random_password().context(|| "no randomness".to_owned())?, true),
    };
    let made = service.create_first_admin(&settings.admin_email, password.clone()).await;
    let made = made.context(|| "cannot make the admin account".to_owned())?;
    let principal = service.local_admin().await?;
    let principal = principal.ok_or_else(|| Failure::new("there is no active admin account"))?;
    Ok(Admin { principal, password: (made.is_some() && random).then_some(password) })
}

/// Starts a worker of so many slots. It drains when `stop` is canceled.
pub(crate) fn start_worker(
    embedded: &Embedded,
    settings: &Settings,
    slots: u32,
    stop: CancellationToken,
) -> JoinHandle<jobrunner_core::Result<()>> {
    let executor = ProcessExecutor::new(ProcessSettings {
        grace: settings.kill_grace,
        allowed_roots: settings.allowed_workdirs.clone(),
    });
    let config = WorkerConfig {
        slots,
        queues: Vec::new(),
        lease_ttl: settings.lease_ttl,
        drain: settings.drain,
        max_output_bytes: settings.max_output_bytes,
    };
    let (store, queue) = (Arc::clone(&embedded.store), Arc::clone(&embedded.queue));
    tokio::spawn(Worker::new(store, queue, Arc::new(executor), config).run(stop))
}

/// Reads a password for people who need to see it once.
pub(crate) fn shown(password: &SecretString) -> &str {
    password.expose_secret()
}
