use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use rustix::fs::{FlockOperation, flock};
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::{Backends, assemble, random_hex};
use crate::{
    Conflict, Error, Queue, Result, Service, Store,
    config::Settings,
    lease::{Rescue, Rescued},
    queue::LocalQueue,
    store::sqlite::{Durability, SqliteStore},
};

/// A service with its backends, ready for a server and a worker in the same process.
pub struct Embedded {
    /// For callers.
    pub service: Service,
    /// For workers.
    pub store: Arc<dyn Store>,
    /// For workers.
    pub queue: Arc<dyn Queue>,
    /// The jobs that an earlier process was running when it died; they wait again or have ended.
    pub rescued: Vec<Rescued>,
    /// Held as long as the directory is in use.
    _lock: File,
}

/// Opens the embedded default in a directory, which is made if need be: a SQLite file, an
/// in-process queue, and a secret for tokens that is made once and kept. The directory is locked,
/// so that two processes cannot share it; what an earlier one left running is taken back.
///
/// # Errors
/// [`Conflict`](Error::Conflict) when another process uses the directory; otherwise what the file
/// system or the database says.
pub fn embedded<'a>(
    directory: &'a Path,
    settings: &'a Settings,
) -> BoxFuture<'a, Result<Embedded>> {
    Box::pin(open(directory, settings, Durability::Kept))
}

/// The same in a directory that is thrown away afterwards, such as a temporary one: nothing waits
/// for its disk, and after a loss of power nothing in it can be relied on.
///
/// # Errors
/// As [`embedded`].
pub fn thrown_away<'a>(
    directory: &'a Path,
    settings: &'a Settings,
) -> BoxFuture<'a, Result<Embedded>> {
    Box::pin(open(directory, settings, Durability::ThrownAway))
}

async fn open(directory: &Path, settings: &Settings, durability: Durability) -> Result<Embedded> {
    let inside = |error: io::Error| unusable(directory, error);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(inside)?;
    let lock = lock(directory).await?;
    let secret = match &settings.jwt_secret {
        Some(secret) => secret.clone(),
        None if durability == Durability::ThrownAway => random_hex::<32>().map_err(inside)?.into(),
        None => kept_secret(&directory.join("jwt-secret")).map_err(inside)?,
    };
    let path = directory.join("jobrunner.sqlite3");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_with(&path, durability).await?);
    let rescued = store.rescue(Rescue::All).await?;
    let backends = Backends { store, queue: Arc::new(LocalQueue::new()) };
    let service = assemble(&backends, settings, &secret).await?;
    let Backends { store, queue } = backends;
    Ok(Embedded { service, store, queue, rescued, _lock: lock })
}

/// How long a directory that is in use is waited for: whoever used it may have been killed a moment
/// ago and not be quite gone.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Locks a directory until the file is closed, which the kernel does for a process that dies.
async fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| unusable(directory, error))?;
    let started = Instant::now();
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if started.elapsed() < LOCK_WAIT {
            sleep(LOCK_WAIT / 40).await;
            continue;
        }
        let mut holder = String::new();
        let holder = file.read_to_string(&mut holder).ok().and_then(|_| holder.trim().parse().ok());
        return Err(Conflict::DirectoryInUse { directory: directory.to_owned(), holder }.into());
    }
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(|error| unusable(directory, error))?;
    Ok(file)
}

fn unusable(directory: &Path, error: io::Error) -> Error {
    Conflict::DirectoryUnusable { directory: directory.to_owned(), error }.into()
}

/// The secret in a file, made at random if there is none.
fn kept_secret(path: &Path) -> io::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(secret) => return Ok(secret.trim().to_owned().into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let secret = random_hex::<32>()?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    Ok(secret.into())
}
