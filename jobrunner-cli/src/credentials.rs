//! Tokens, kept in the user's configuration directory: one file, readable by its owner alone. A
//! second file is locked by whoever changes the first one, so that processes at the same time do
//! not undo each other's changes, and do not use a refresh token twice.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use etcetera::BaseStrategy;
use jobrunner_core::daemon::Trouble;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::exit::{Context, Failure};

/// Tokens for a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Credential {
    pub(crate) email: String,
    /// For requests.
    pub(crate) token: String,
    /// For the next ones, used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// When to renew them, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renew_at: Option<u64>,
    /// The refresh token was sent, and what came of it is not known: it may be used up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) in_doubt: bool,
}

impl Credential {
    /// Whether it is time to renew them.
    pub(crate) fn is_due(&self) -> bool {
        let is_time = self.renew_at.is_some_and(|at| at <= now());
        is_time && self.refresh_token.is_some() && !self.in_doubt
    }
}

/// In seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

type Kept = BTreeMap<String, Credential>;

/// The tokens for a server, if there are any.
pub(crate) fn find(server: &str) -> Result<Option<Credential>, Failure> {
    Ok(read(&file()?)?.remove(server))
}

/// While it lives, no other process changes what is kept.
pub(crate) struct Lock {
    file: PathBuf,
    _lock: File,
}

impl Lock {
    /// Waits until no other process holds it.
    pub(crate) async fn take() -> Result<Self, Failure> {
        let taken = tokio::task::spawn_blocking(Self::take_blocking).await;
        taken.context(Trouble::Software, || "cannot wait for other processes".to_owned())?
    }

    fn take_blocking() -> Result<Self, Failure> {
        let file = file()?;
        let cannot = || format!("cannot keep the tokens in {}", file.display());
        let directory = file.parent().unwrap_or(Path::new("/"));
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.context(Trouble::CannotCreate, cannot)?;
        let mut options = File::options();
        let lock = options.append(true).create(true).mode(0o600).open(file.with_extension("lock"));
        let lock = lock.context(Trouble::CannotCreate, cannot)?;
        flock(&lock, FlockOperation::LockExclusive).context(Trouble::Os, cannot)?;
        Ok(Self { file, _lock: lock })
    }

    /// The tokens for a server as they are now.
    pub(crate) fn find(&self, server: &str) -> Result<Option<Credential>, Failure> {
        Ok(read(&self.file)?.remove(server))
    }

    /// Keeps tokens for a server in place of earlier ones.
    pub(crate) fn keep(&self, server: &str, credential: Credential) -> Result<(), Failure> {
        let mut kept = read(&self.file)?;
        kept.insert(server.to_owned(), credential);
        self.write(&kept)
    }

    /// Forgets the tokens for a server.
    pub(crate) fn forget(&self, server: &str) -> Result<(), Failure> {
        let mut kept = read(&self.file)?;
        kept.remove(server);
        self.write(&kept)
    }

    /// Replaces the file at once, so that a reader sees the old one or the new one.
    fn write(&self, kept: &Kept) -> Result<(), Failure> {
        let cannot = || format!("cannot keep the tokens in {}", self.file.display());
        let text = serde_json::to_vec_pretty(kept).context(Trouble::Software, cannot)?;
        let fresh = self.file.with_extension("new");
        let write = || -> io::Result<()> {
            let mut options = File::options();
            let mut handle =
                options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            handle.write_all(&text)?;
            handle.sync_all()?;
            fs::rename(&fresh, &self.file)
        };
        write().context(Trouble::CannotCreate, cannot)
    }
}

fn file() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy().context(Trouble::Os, || {
        "cannot tell your home directory to keep the tokens in".to_owned()
    })?;
    Ok(base.config_dir().join("jobrunner").join("credentials.json"))
}

fn read(file: &Path) -> Result<Kept, Failure> {
    match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).context(Trouble::Config, || {
            format!("{} is damaged; delete it and sign in again", file.display())
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::new()),
        Err(error) => {
            Err(Failure::new(Trouble::Io, format!("cannot read {}: {error}", file.display())))
        }
    }
}
