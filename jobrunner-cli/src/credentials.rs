//! Tokens, kept in the user's configuration directory: one file, readable by its owner alone.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use crate::exit::{Context, Failure};

/// A token for a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Credential {
    pub(crate) email: String,
    pub(crate) token: String,
}

type Kept = BTreeMap<String, Credential>;

/// The token for a server, if there is one.
pub(crate) fn find(server: &str) -> Result<Option<Credential>, Failure> {
    Ok(read()?.remove(server))
}

/// Keeps a token for a server in place of an earlier one.
pub(crate) fn keep(server: &str, credential: Credential) -> Result<(), Failure> {
    let mut kept = read()?;
    kept.insert(server.to_owned(), credential);
    write(&kept)
}

/// Forgets the token for a server; tells whether there was one.
pub(crate) fn forget(server: &str) -> Result<bool, Failure> {
    let mut kept = read()?;
    let known = kept.remove(server).is_some();
    write(&kept)?;
    Ok(known)
}

fn file() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy()
        .context(|| "cannot tell your home directory to keep the token in".to_owned())?;
    Ok(base.config_dir().join("jobrunner").join("credentials.json"))
}

fn read() -> Result<Kept, Failure> {
    let file = file()?;
    match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text)
            .context(|| format!("{} is damaged; delete it and sign in again", file.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::new()),
        Err(error) => Err(Failure::new(format!("cannot read {}: {error}", file.display()))),
    }
}

/// Replaces the file at once, so that a reader sees the old one or the new one.
fn write(kept: &Kept) -> Result<(), Failure> {
    let file = file()?;
    let directory = file.parent().ok_or_else(|| Failure::new("there is no such directory"))?;
    let cannot = || format!("cannot keep the token in {}", file.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).context(cannot)?;
    let text = serde_json::to_vec_pretty(kept).context(cannot)?;
    let fresh = directory.join(format!(".credentials.{}", std::process::id()));
    let write = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut handle =
            options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        handle.write_all(&text)?;
        handle.sync_all()?;
        fs::rename(&fresh, &file)
    };
    write().context(cannot)
}
