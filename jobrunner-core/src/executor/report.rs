//! Reading the reports that a command has written.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::fd::OwnedFd,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat2},
    io::Errno,
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::{launch::path_of, search::Search};
use crate::{
    report::{Cases, Glob, MOST_BYTES, Report},
    workdir::{AllowedRoots, file_error},
};

/// How long the reports of one attempt may take to be found and read.
const LIMIT: Duration = Duration::from_secs(30);

/// How long a file system may keep its answer after that.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many attempts' reports one worker reads at a time: a single text of one may be as large as
/// all of them may be together.
pub(super) const MOST_READERS: usize = 4;

/// How often a path is looked up again that is changed in the middle.
const MOST_TRIES: u32 = 20;

/// How many of the problems are told; of the others there is the number.
const PROBLEMS_TOLD: usize = 3;

/// What is to be read.
pub(super) struct Reports {
    pub(super) working_dir: String,
    pub(super) globs: Vec<String>,
    pub(super) allowed_roots: AllowedRoots,
    /// Files that were changed last before this time are left alone.
    pub(super) since: SystemTime,
}

impl Reports {
    /// Finds and reads them off the async threads and for a bounded time.
    ///
    /// **Cancel safety**: what is read is forgotten.
    pub(super) async fn read(self, threads: Arc<Semaphore>) -> Report {
        let work = async {
            let thread = threads.acquire_owned().await;
            spawn_blocking(move || {
                // Given back when the file system has answered, however late.
                let _thread = thread;
                self.block()
            })
            .await
        };
        match timeout(LIMIT + PATIENCE, work).await {
            Ok(Ok(report)) => report,
            Ok(Err(panic)) => Report::unread(format!("reports could not be read: {panic}")),
            Err(_) => {
                let seconds = (LIMIT + PATIENCE).as_secs();
                Report::unread(format!(
                    "reports could not be read: the file system did not answer for {seconds} s"
                ))
            }
        }
    }

    fn block(self) -> Report {
        let mut reading = Reading {
            cases: Cases::default(),
            left: MOST_BYTES,
            until: Instant::now() + LIMIT,
            since: self.since,
            problems: Problems::default(),
        };
        let globs: Result<Vec<Glob>, String> = self
            .globs
            .iter()
            .map(|glob| glob.parse().map_err(|why| format!("{glob:?} {why}")))
            .collect();
        match globs.and_then(|globs| Ok((globs, self.open()?))) {
            Ok((globs, directory)) => reading.directory(&directory, &globs, &self.globs),
            Err(problem) => reading.problems.push(problem),
        }
        reading.cases.into_report(reading.problems.told())
    }

    /// The working directory as it is now, below the allowed ones.
    fn open(&self) -> Result<OwnedFd, String> {
        let path = &self.working_dir;
        let opened = self.allowed_roots.open(Path::new(path));
        opened.map_err(|why| format!("working directory {path:?} {why}"))
    }
}

/// The reports of one attempt that are being read.
struct Reading {
    cases: Cases,
    /// How many bytes more may be read.
    left: u64,
    /// When to stop.
    until: Instant,
    since: SystemTime,
    problems: Problems,
}

impl Reading {
    fn directory(&mut self, directory: &OwnedFd, globs: &[Glob], written: &[String]) {
        let search = Search::below(directory, globs, self.until);
        let found = search.files();
        self.problems.0.extend(found.problem);
        let mut fresh = vec![false; globs.len()];
        let mut stale = vec![None; globs.len()];
        for file in &found.files {
            if Instant::now() > self.until {
                self.problems.push(format!("{} and what follows took too long", shown(&file.path)));
                return;
            }
            let was_read = self.file(directory, &file.path);
            for glob in file.globs.iter().copied() {
                match was_read {
                    true => fresh[glob] = true,
                    false => stale[glob] = stale[glob].or(Some(&file.path)),
                }
            }
        }
        for ((written, fresh), stale) in written.iter().zip(fresh).zip(stale) {
            match stale {
                _ if fresh => {}
                Some(path) => {
                    let path = shown(path);
                    self.problems
                        .push(format!("{path} was not written by this attempt, but before"));
                }
                None => self.problems.push(format!("no file matches {written:?}")),
            }
        }
    }

    /// Reads one file, as far as it can be read. Answers `false` if it is older than the attempt.
    fn file(&mut self, directory: &OwnedFd, path: &str) -> bool {
        let (file, status) = match open_file(directory, path) {
            Ok(opened) => opened,
            Err(why) => {
                self.problems.push(format!("{} {why}", shown(path)));
                return true;
            }
        };
        if !is_fresh(&status, self.since) {
            return false;
        }
        let size = u64::try_from(status.st_size).unwrap_or(0);
        if size > self.left {
            let most = MOST_BYTES / (1024 * 1024);
            let path = shown(path);
            self.problems
                .push(format!("{path} is too large: all reports together may have {most} MiB"));
            return true;
        }
        let mut bounded = Bounded { file, left: self.left, until: self.until };
        let read = self.cases.read(BufReader::with_capacity(64 * 1024, &mut bounded));
        self.left = bounded.left;
        if let Err(why) = read {
            self.problems.push(format!("{} {why}", shown(path)));
        }
        true
    }
}

/// Opens what a path below a directory leads to without leaving it, if that is a file.
///
/// It is looked at before it is opened to be read: opening a pipe or a device does something to it.
fn open_file(directory: &OwnedFd, path: &str) -> Result<(File, Stat), String> {
    let refuse = |error: Errno| match error {
        Errno::XDEV => "leads out of the working directory".to_owned(),
        Errno::LOOP => "leads nowhere".to_owned(),
        error => file_error(&error.into()),
    };
    let found = open_below(directory, path, OFlags::PATH).map_err(refuse)?;
    let status = fstat(&found).map_err(refuse)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err("is not a file".to_owned());
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(path_of(&found), flags, Mode::empty()).map_err(refuse)?;
    Ok((file.into(), status))
}

/// Opens a path below a directory; links are followed as long as they stay below it.
pub(super) fn open_below(directory: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        match openat2(directory, path, flags | OFlags::CLOEXEC, Mode::empty(), beneath) {
            // Something on the way was moved at this moment.
            Err(Errno::AGAIN) if tries < MOST_TRIES => tries += 1,
            opened => return opened,
        }
    }
}

/// Whether a file was changed at this time or later. Not every file system keeps more than seconds.
fn is_fresh(status: &Stat, since: SystemTime) -> bool {
    let since = since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, nanos) = (i128::from(status.st_mtime), i128::from(status.st_mtime_nsec));
    let since_nanos = if nanos == 0 { 0 } else { i128::from(since.subsec_nanos()) };
    (seconds, nanos) >= (i128::from(since.as_secs()), since_nanos)
}

/// A file that is read no further than it may be, whatever it grows by meanwhile.
struct Bounded {
    file: File,
    left: u64,
    until: Instant,
}

impl Read for &mut Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if Instant::now() > self.until {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long"));
        }
        let bytes = self.file.read(into)?;
        self.left = self.left.checked_sub(bytes as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "it grew while it was read")
        })?;
        Ok(bytes)
    }
}

/// What could not be read.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn push(&mut self, problem: String) {
        self.0.push(problem);
    }

    /// One sentence about all of them.
    fn told(self) -> Option<String> {
        let more = self.0.len().saturating_sub(PROBLEMS_TOLD);
        let mut told = self.0.into_iter().take(PROBLEMS_TOLD).collect::<Vec<_>>();
        if told.is_empty() {
            return None;
        }
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        Some(told.join("; "))
    }
}

/// A path as it is told.
fn shown(path: &str) -> String {
    const LONGEST: usize = 300;
    let line: String = path.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    match line.len() <= LONGEST {
        true => line,
        false => format!("{}…", &line[..line.floor_char_boundary(LONGEST)]),
    }
}
