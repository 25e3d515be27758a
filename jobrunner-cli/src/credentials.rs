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
use reqwest::Url;
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

/// Under what the tokens for the server of this URL are kept: `localhost` and `127.0.0.1` are one
/// server.
pub(crate) fn key(server: &str) -> String {
    let Ok(mut url) = Url::parse(server) else { return server.to_owned() };
    let is_here = url.host_str().is_some_and(|host| host.trim_end_matches('.') == "localhost");
    if is_here && url.set_host(Some("127.0.0.1")).is_err() {
        return server.to_owned();
    }
    url.as_str().trim_end_matches('/').to_owned()
}

/// The tokens for the server that is kept under this key, if there are any.
pub(crate) fn find(key: &str) -> Result<Option<Credential>, Failure> {
    Ok(read(&file()?)?.remove(key))
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
        make_directory().context(Trouble::CannotCreate, cannot)?;
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

    fn write(&self, kept: &Kept) -> Result<(), Failure> {
        let cannot = || format!("cannot keep the tokens in {}", self.file.display());
        let text = serde_json::to_vec_pretty(kept).context(Trouble::Software, cannot)?;
        replace(&self.file, &text).context(Trouble::CannotCreate, cannot)
    }
}

/// Replaces a file, which is the user's alone, at once: a reader sees the old one or the new one.
pub(crate) fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let fresh = file.with_extension("new");
    let mut options = File::options();
    let mut handle = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    handle.write_all(text)?;
    handle.sync_all()?;
    fs::rename(&fresh, file)
}

/// Makes the directory of the files that the client keeps.
pub(crate) fn make_directory() -> Result<(), Failure> {
    let directory = directory()?;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
    made.context(Trouble::CannotCreate, || format!("cannot make {}", directory.display()))
}

fn file() -> Result<PathBuf, Failure> {
    Ok(directory()?.join("credentials.json"))
}

/// Where the client keeps what it remembers: `jobrunner` in the user's configuration directory.
pub(crate) fn directory() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy().context(Trouble::Os, || {
        "cannot tell your home directory; set HOME or XDG_CONFIG_HOME".to_owned()
    })?;
    Ok(base.config_dir().join("jobrunner"))
}

fn read(file: &Path) -> Result<Kept, Failure> {
    match fs::read(file) {
        Ok(text) => {
            let kept: Kept = serde_json::from_slice(&text).context(Trouble::Config, || {
                format!("{} is damaged; delete it and sign in again", file.display())
            })?;
            // An earlier version kept them under the URL as it was typed.
            Ok(kept.into_iter().map(|(server, credential)| (key(&server), credential)).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::new()),
        Err(error) => {
            Err(Failure::new(Trouble::Io, format!("cannot read {}: {error}", file.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn names_of_one_server_have_one_key() {
        for url in ["http://localhost:8000", "http://LOCALHOST:8000/", "http://127.0.0.1:8000"] {
            assert_eq!(key(url), "http://127.0.0.1:8000", "{url}");
        }
        assert_eq!(key("http://localhost:8000/below/"), "http://127.0.0.1:8000/below");
        for other in ["http://[::1]:8000", "https://127.0.0.1:8000", "http://localhost.example"] {
            assert_eq!(key(other), other);
        }
    }
}
