//! Finding the files below a directory that patterns stand for.

use std::{os::fd::OwnedFd, time::Instant};

use rustix::fs::{Dir, FileType, OFlags};

use super::report::open_below;
use crate::report::{Glob, Progress};

/// How many names of directories are looked at.
const MOST_NAMES: usize = 200_000;

/// How many directories are opened.
const MOST_DIRECTORIES: usize = 20_000;

/// How many files are found.
const MOST_FILES: usize = 20_000;

/// How deep a path may be.
const MOST_DEPTH: usize = 64;

/// A search below a directory.
pub(super) struct Search<'a> {
    root: &'a OwnedFd,
    globs: &'a [Glob],
    until: Instant,
    names: usize,
    directories: usize,
    found: Found,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// In the order of their paths.
    pub(super) files: Vec<Match>,
    /// Why the search was given up.
    pub(super) problem: Option<String>,
}

/// A path that patterns stand for; what is there may be no file.
pub(super) struct Match {
    /// Below the directory.
    pub(super) path: String,
    /// Which patterns.
    pub(super) globs: Vec<usize>,
}

/// A directory that is still to be looked into.
struct Pending {
    path: String,
    depth: usize,
    progress: Vec<Progress>,
}

impl<'a> Search<'a> {
    pub(super) fn below(root: &'a OwnedFd, globs: &'a [Glob], until: Instant) -> Self {
        Self { root, globs, until, names: 0, directories: 0, found: Found::default() }
    }

    /// Looks, as far as it may. Links that lead to directories are followed where a pattern names
    /// them or has `*` for them, and not where `**` stands for any directory.
    pub(super) fn files(mut self) -> Found {
        let progress = self.globs.iter().map(Glob::begin).collect();
        let mut pending = vec![Pending { path: String::new(), depth: 0, progress }];
        while let Some(directory) = pending.pop() {
            if let Err(problem) = self.directory(&directory, &mut pending) {
                self.found.problem = Some(problem);
                break;
            }
        }
        self.found.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.found
    }

    fn directory(&mut self, of: &Pending, pending: &mut Vec<Pending>) -> Result<(), String> {
        self.directories += 1;
        if self.directories > MOST_DIRECTORIES || Instant::now() > self.until {
            return Err(too_much("directories"));
        }
        if let Some(names) = self.known_names(of) {
            for name in names {
                self.entry(of, &name, FileType::Unknown, pending)?;
            }
            return Ok(());
        }
        let path = if of.path.is_empty() { "." } else { &of.path };
        // One that cannot be read, or is gone, holds nothing for us.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let Ok(opened) = open_below(self.root, path, flags) else { return Ok(()) };
        let Ok(entries) = Dir::new(opened) else { return Ok(()) };
        for entry in entries {
            let Ok(entry) = entry else { break };
            // A name that is not UTF-8 is none that a pattern can stand for.
            let Ok(name) = entry.file_name().to_str() else { continue };
            if !matches!(name, "." | "..") {
                self.entry(of, name, entry.file_type(), pending)?;
            }
        }
        Ok(())
    }

    /// The only names that can be next, where no pattern needs the directory to be listed.
    fn known_names(&self, of: &Pending) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for (glob, progress) in self.globs.iter().zip(&of.progress) {
            names.extend(glob.names(*progress)?.into_iter().map(str::to_owned));
        }
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    fn entry(
        &mut self,
        of: &Pending,
        name: &str,
        kind: FileType,
        pending: &mut Vec<Pending>,
    ) -> Result<(), String> {
        self.names += 1;
        if self.names > MOST_NAMES {
            return Err(too_much("names"));
        }
        let progress: Vec<Progress> = self
            .globs
            .iter()
            .zip(&of.progress)
            .map(|(glob, progress)| glob.step(*progress, name))
            .collect();
        let globs = || self.globs.iter().zip(&progress);
        let matched: Vec<usize> = globs()
            .enumerate()
            .filter(|(_, (glob, progress))| glob.is_matched(**progress))
            .map(|(index, _)| index)
            .collect();
        let may_be_directory = match kind {
            FileType::Directory | FileType::Unknown => true,
            FileType::Symlink => !globs().any(|(glob, progress)| glob.goes_anywhere(*progress)),
            _ => false,
        };
        let goes_on = globs().any(|(glob, progress)| glob.goes_on(*progress));
        let path = match of.path.as_str() {
            "" => name.to_owned(),
            directory => format!("{directory}/{name}"),
        };
        if may_be_directory && goes_on && of.depth + 1 < MOST_DEPTH {
            let (path, depth) = (path.clone(), of.depth + 1);
            pending.push(Pending { path, depth, progress: progress.clone() });
        }
        let is_file = kind != FileType::Directory && !matched.is_empty();
        if is_file && (kind != FileType::Unknown || self.is_there(&path)) {
            if self.found.files.len() >= MOST_FILES {
                return Err(too_much("files"));
            }
            self.found.files.push(Match { path, globs: matched });
        }
        Ok(())
    }

    /// Whether a path leads to something other than a directory, or out of here, which is told
    /// later.
    fn is_there(&self, path: &str) -> bool {
        use rustix::{fs::fstat, io::Errno};
        match open_below(self.root, path, OFlags::PATH) {
            Ok(found) => fstat(&found)
                .is_ok_and(|status| FileType::from_raw_mode(status.st_mode) != FileType::Directory),
            Err(Errno::NOENT | Errno::NOTDIR) => false,
            Err(_) => true,
        }
    }
}

fn too_much(what: &str) -> String {
    format!(
        "the reports were not all looked for: there are too many {what} below the working directory"
    )
}
