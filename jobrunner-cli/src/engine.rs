//! The embedded service with a worker, in this process.

use std::{path::Path, sync::Arc};

use jobrunner_core::{
    JobId, Principal,
    config::Settings,
    connect::{self, Backends, Embedded},
    daemon::{Fatal, Trouble},
    executor::Reaper,
};
use jobrunner_worker::{local_worker, sweep_leftovers};
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
        let killed =
            swept.context(Trouble::Software, || "cannot look for leftover processes".to_owned())?;
        let killed = killed.context(Trouble::Os, || {
            "cannot end what an earlier process left running".to_owned()
        })?;
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
    let made = connect::first_admin(&embedded.service, settings).await;
    let made = made.map_err(Fatal::from)?;
    let principal = embedded.service.local_admin().await?;
    let principal = principal
        .ok_or_else(|| Failure::new(Trouble::Config, "there is no active admin account"))?;
    Ok(Admin { principal, password: made.password })
}

/// Starts a worker of so many slots. It drains when `stop` is canceled.
pub(crate) fn start_worker(
    embedded: &Embedded,
    settings: &Settings,
    reaper: Reaper,
    slots: u32,
    stop: CancellationToken,
) -> JoinHandle<jobrunner_core::Result<()>> {
    let (store, queue) = (Arc::clone(&embedded.store), Arc::clone(&embedded.queue));
    tokio::spawn(
        local_worker(Backends { store, queue }, settings, reaper, slots, Vec::new()).run(stop),
    )
}

/// Reads a password for people who need to see it once.
pub(crate) fn shown(password: &SecretString) -> &str {
    password.expose_secret()
}
