//! The process table of this machine, read from `/proc`.

use std::{collections::HashMap, fs, io, time::Duration};

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal},
};

/// How every command's environment names its job, and its attempt.
const MARKS: [&[u8]; 2] = [b"JOBRUNNER_JOB_ID=", b"JOBRUNNER_ATTEMPT="];

/// How long to wait between two looks at processes that were killed.
const PAUSE: Duration = Duration::from_millis(2);

/// A process at the moment it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub id: Pid,
    /// The id of its parent, 0 if it has none in this process's view.
    pub parent: i32,
    /// The id of its process group.
    pub group: i32,
    /// The id of its session.
    pub session: i32,
    /// Whether it has ended and only waits to be reaped.
    pub is_zombie: bool,
    /// When it was started, in clock ticks since the machine was. Together with the id it names one
    /// process and no later one.
    pub started: u64,
}

impl Process {
    /// The process with this id; `None` if there is none any more.
    #[must_use]
    pub fn read(id: Pid) -> Option<Self> {
        Self::parse(id, &fs::read_to_string(format!("/proc/{}/stat", id.as_raw_pid())).ok()?)
    }

    /// Understands a line of proc_pid_stat(5): `PID (NAME) STATE PARENT GROUP SESSION … STARTED …`,
    /// where the name may hold anything.
    fn parse(id: Pid, line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(") ")?;
        let mut words = rest.split(' ');
        let state = words.next()?;
        Some(Self {
            id,
            parent: words.next()?.parse().ok()?,
            group: words.next()?.parse().ok()?,
            session: words.next()?.parse().ok()?,
            is_zombie: matches!(state, "Z" | "X"),
            // The 22nd of all, and the fifth so far was the 6th.
            started: words.nth(15)?.parse().ok()?,
        })
    }

    /// Sends a signal to this process, and to no other that was given its id since. One that is
    /// gone is left alone.
    ///
    /// # Errors
    /// It belongs to somebody else.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let sent = match pidfd_open(self.id, PidfdFlags::empty()) {
            // What is read after the descriptor was opened is of the process that it stands for.
            Ok(descriptor) if self.is_still_there() => pidfd_send_signal(&descriptor, signal),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        match sent {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn is_still_there(&self) -> bool {
        Self::read(self.id).is_some_and(|now| now.started == self.started)
    }

    /// The job and the attempt that its environment names, as text, if it was started with such an
    /// environment and may be read.
    #[must_use]
    pub fn mark(&self) -> Option<(String, String)> {
        let environment = fs::read(format!("/proc/{}/environ", self.id.as_raw_pid())).ok()?;
        let value = |mark: &[u8]| {
            let mut variables = environment.split(|byte| *byte == 0);
            let value = variables.find_map(|variable| variable.strip_prefix(mark))?;
            String::from_utf8(value.to_vec()).ok()
        };
        Some((value(MARKS[0])?, value(MARKS[1]).unwrap_or_default()))
    }
}

/// Every process there is, as far as this one may see.
///
/// # Errors
/// There is no `/proc`.
pub fn all() -> io::Result<Vec<Process>> {
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        // One may end while we look.
        processes.extend(id.and_then(Process::read));
    }
    Ok(processes)
}

/// The children of a process, their children and so on, those that have ended included.
///
/// # Errors
/// There is no `/proc`.
pub fn descendants(of: Pid) -> io::Result<Vec<Process>> {
    let mut families: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in all()? {
        families.entry(process.parent).or_default().push(process);
    }
    let mut found = families.remove(&of.as_raw_pid()).unwrap_or_default();
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let children = families.remove(&process.id.as_raw_pid());
        found.extend(children.unwrap_or_default());
        next += 1;
    }
    Ok(found)
}

/// The children of this process's first thread: those that it started, those that were started by
/// threads which have ended, and those that it adopted as their reaper. `None` where the kernel
/// does not tell (it was built without `CONFIG_PROC_CHILDREN`).
#[must_use]
pub fn children_of_first_thread() -> Option<Vec<Pid>> {
    let id = getpid().as_raw_pid();
    let list = fs::read_to_string(format!("/proc/self/task/{id}/children")).ok()?;
    Some(list.split_ascii_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect())
}

/// Kills every descendant of this process until none is alive, for at most `limit`; `reap` is
/// called again and again to collect those that have ended. Answers how many were killed.
///
/// Blocks.
///
/// # Errors
/// There is no `/proc`, or a process does not go away: it hangs in the kernel, or is somebody
/// else's.
pub fn kill_descendants(limit: Duration, mut reap: impl FnMut()) -> io::Result<usize> {
    let started = std::time::Instant::now();
    let mut killed = std::collections::HashSet::new();
    loop {
        reap();
        let mut alive = descendants(getpid())?;
        alive.retain(|process| !process.is_zombie);
        if alive.is_empty() {
            return Ok(killed.len());
        }
        if started.elapsed() > limit {
            let message = format!("{} processes cannot be killed", alive.len());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        for process in alive {
            match process.signal(Signal::KILL) {
                Ok(()) => {
                    killed.insert((process.id, process.started));
                }
                Err(error) => {
                    tracing::debug!(process.id = process.id.as_raw_pid(), %error, "not killed");
                }
            }
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_understood_whatever_the_name_of_the_program() {
        let line = "77 (a) Z 1 (b)) Z 12 13 14 0 -1 4228100 0 0 0 0 0 0 0 0 20 0 1 0 9876 0 0";
        let process = Process::parse(getpid(), line).expect("a process");
        assert_eq!((process.parent, process.group, process.session), (12, 13, 14));
        assert!(process.is_zombie);
        assert_eq!(process.started, 9876);
    }

    #[test]
    fn this_process_is_found_among_all() {
        let own = Process::read(getpid()).expect("it runs");
        assert!(all().expect("a table").contains(&own));
        assert!(!own.is_zombie);
    }
}
