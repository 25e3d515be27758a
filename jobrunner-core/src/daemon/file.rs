use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf, absolute},
};

use super::file_parser::{Entry, Wrong, parse};
use crate::config::LIBPQ;

/// The name of the file of settings, in the working directory.
const NAME: &str = ".env";

/// How much of it is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// A file of settings that cannot be used. The text has nothing of the file's values.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is there and cannot be read.
    #[error("cannot read the settings in {}: {source}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line that sets nothing.
    #[error("{} line {line}: {what}", .path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// The variables that the file `.env` of the working directory sets; none if there is no such file.
pub(super) fn read() -> Result<BTreeMap<String, String>, FileError> {
    let name = Path::new(NAME);
    let path = absolute(name).unwrap_or_else(|_| name.to_owned());
    match fs::symlink_metadata(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        // Whatever else is wrong with it shows when it is read. A link that leads nowhere is a file
        // that is missing, and not one that nobody asked for.
        _ => {}
    }
    let text = text(name).map_err(|source| FileError::Unreadable { path: path.clone(), source })?;
    let entries = parse(&text, |name| match std::env::var_os(name) {
        Some(value) => {
            value.into_string().map(Some).map_err(|_| "refers to a variable that is not UTF-8")
        }
        None => Ok(None),
    });
    let refused = |Wrong { line, what }| FileError::Line { path: path.clone(), line, what };
    let entries = entries.map_err(refused)?;
    if let Some(entry) = entries.iter().find(|entry| LIBPQ.contains(&entry.name.as_str())) {
        let what = "the library for Postgres does not read this file: put it into DATABASE_URL, as in \
                    ?sslmode=verify-full, or into the environment";
        return Err(refused(Wrong { line: entry.line, what }));
    }
    Ok(entries.into_iter().map(|Entry { name, value, .. }| (name, value)).collect())
}

fn text(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut file = File::open(path)?.take(MOST_BYTES + 1);
    file.read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than a mebibyte"));
    }
    Ok(text)
}
