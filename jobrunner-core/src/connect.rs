//! From settings to parts: the only place that names concrete backends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use rand::{TryRng, rngs::SysRng};
use rustix::fs::{FlockOperation, flock};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error, Queue, Result, Service, Store,
    authz::{Passwords, RoleAuthz, TokenKey},
    config::Settings,
    lease::{Rescue, Rescued},
    queue::LocalQueue,
    service::Parts,
    store::sqlite::SqliteStore,
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

/// Opens the embedded default in a directory, which is made if need be: a SQLite file, an in-process
/// queue, and a secret for tokens that is made once and kept. The directory is locked, so that two
/// processes cannot share it; what an earlier one left running is taken back.
///
/// # Errors
/// [`Conflict`](Error::Conflict) when another process uses the directory; otherwise what the file
/// system or the database says.
pub async fn embedded(directory: &Path, settings: &Settings) -> Result<Embedded> {
    let inside = |source: io::Error| Error::unavailable("the data directory", source);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(inside)?;
    let lock = lock(directory)?;
    let secret = match &settings.jwt_secret {
        Some(secret) => secret.clone(),
        None => kept_secret(&directory.join("jwt-secret")).map_err(inside)?,
    };
    let tokens = TokenKey::new(secret.expose_secret().as_bytes(), settings.token_lifetime)
        .map_err(|e| Error::invalid("JWT_SECRET_KEY", e.to_string()))?;

    let store = Arc::new(SqliteStore::open(&directory.join("jobrunner.sqlite3")).await?);
    let queue: Arc<dyn Queue> = Arc::new(LocalQueue::new());
    let passwords = Passwords::new().await?;
    let authz = RoleAuthz::new(Arc::clone(&store) as _, tokens.clone(), passwords.clone());
    let store: Arc<dyn Store> = store;
    let rescued = store.rescue(Rescue::All).await?;
    let service = Service::new(Parts {
        store: Arc::clone(&store),
        queue: Arc::clone(&queue),
        authz: Arc::new(authz),
        tokens,
        passwords,
        rules: settings.rules(),
    });
    Ok(Embedded { service, store, queue, rescued, _lock: lock })
}

/// Locks a directory until the file is closed, which the kernel does for a process that dies.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|e| Error::unavailable("the data directory", e))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut holder = String::new();
        let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
        let who = if known { format!(" (process {})", holder.trim()) } else { String::new() };
        return Err(Error::Conflict(format!(
            "another jobrunner{who} is using {}; stop it, or choose another --data-dir",
            directory.display()
        )));
    }
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(|e| Error::unavailable("the data directory", e))?;
    Ok(file)
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

/// A password for the first admin, made at random: 96 bits as 24 hexadecimal digits.
///
/// # Errors
/// The system has no randomness.
pub fn random_password() -> io::Result<SecretString> {
    random_hex::<12>().map(SecretString::from)
}

fn random_hex<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    SysRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
