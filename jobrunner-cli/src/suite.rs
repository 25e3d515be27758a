//! Suites: batches written as YAML, with parameters, matrices and other suites. The format is
//! described in
//! `docs/SUITES.md`.

mod adapters;
mod expand;
mod format;
mod matrix;
mod nearest;
mod parameters;
mod range;
#[cfg(test)]
mod schema;
mod source;
mod template;
mod written;
mod yaml;

use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

use jobrunner_core::{NewBatch, NewJob, daemon::Trouble, job::Rules};
use serde::Deserialize;

use crate::exit::{Context, Failure};
use format::Header;
use yaml::{Node, Wrong};

pub(crate) use adapters::{made, record::record};
pub(crate) use written::{as_yaml, script};

/// A suite as it is written. What is text in it is what stands in the file, `no` and `3.10`
/// included.
#[derive(Debug)]
pub(crate) struct Suite {
    root: Rc<Node>,
    header: Header,
    /// The file, for messages.
    file: PathBuf,
    /// What relative paths lie under.
    base: Option<PathBuf>,
    /// The file, if it is one, links resolved.
    path: Option<PathBuf>,
}

impl Suite {
    /// Reads a suite from its file, from a pipe, or from standard input if that is `-`.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let cannot = || format!("cannot read the suite {}", file.display());
        let text = if file == Path::new(STDIN) {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(file)
        };
        let text = text.context(Trouble::NoInput, cannot)?;
        let path = kept(file).context(Trouble::NoInput, cannot)?;
        let base = match &path {
            Some(path) => path.parent().unwrap_or(Path::new("/")).to_owned(),
            None => std::env::current_dir().context(Trouble::NoInput, cannot)?,
        };
        let named = if file == Path::new(STDIN) { Path::new("standard input") } else { file };
        Ok(Self { path, ..Self::parse(&text, named, Some(base))? })
    }

    /// Reads a suite from its text; the file is named in messages. Relative paths lie under `base`;
    /// with `None` they are refused.
    pub(crate) fn parse(text: &str, file: &Path, base: Option<PathBuf>) -> Result<Self, Failure> {
        Self::parsed(text, file, base)
            .map_err(|wrong| Failure::new(Trouble::Data, located(file, &wrong)))
    }

    fn parsed(text: &str, file: &Path, base: Option<PathBuf>) -> Result<Self, Wrong> {
        let root = yaml::parse(text)?;
        let header = Header::deserialize(&*root)?;
        Ok(Self { root, header, file: file.to_owned(), base, path: None })
    }

    /// The file that the suite was read from, links resolved; `None` for a pipe.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The batch and its jobs, with every variable filled in; `set` gives values to parameters and
    /// variables. What jobs ask for is not checked.
    pub(crate) fn expand(
        &self,
        set: &[(String, String)],
    ) -> Result<(NewBatch, Vec<NewJob>), Failure> {
        first(expand::expand(self, set, None))
    }

    /// The same, checked by the rules of a service.
    pub(crate) fn checked(
        &self,
        set: &[(String, String)],
        rules: &Rules,
    ) -> Result<(NewBatch, Vec<NewJob>), Failure> {
        first(expand::expand(self, set, Some(rules)))
    }

    /// The same, or every line that there is to say of what is wrong.
    pub(crate) fn examined(
        &self,
        set: &[(String, String)],
        rules: &Rules,
    ) -> Result<(NewBatch, Vec<NewJob>), Vec<String>> {
        expand::expand(self, set, Some(rules))
    }
}

/// What is wrong, on one line.
fn first<T>(expanded: Result<T, Vec<String>>) -> Result<T, Failure> {
    expanded.map_err(|wrong| {
        let more = match wrong.len() {
            0 | 1 => String::new(),
            n => format!(" (and {} more; jobrunner suite check shows all)", n - 1),
        };
        Failure::new(Trouble::Data, format!("{}{more}", wrong.first().map_or("", String::as_str)))
    })
}

/// Stands for standard input.
const STDIN: &str = "-";

/// The file that a suite is kept in, links resolved; `None` where it comes out of a pipe or a
/// device.
fn kept(file: &Path) -> std::io::Result<Option<PathBuf>> {
    let is_kept = file != Path::new(STDIN)
        && !file.starts_with("/dev")
        && !file.starts_with("/proc")
        && file.metadata()?.is_file();
    if is_kept { file.canonicalize().map(Some) } else { Ok(None) }
}

/// `FILE:LINE:COLUMN: FIELD MESSAGE`, as compilers do.
fn located(file: &Path, wrong: &Wrong) -> String {
    format!("{}:{wrong}", file.display())
}

#[cfg(test)]
mod tests;
