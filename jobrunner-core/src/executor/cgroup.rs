use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, getpid, getppid, test_kill_process},
};

/// How long the processes of a group may take to be gone once they are killed.
const GONE_LIMIT: Duration = Duration::from_secs(5);

/// How long to wait between two looks at a group that was killed.
const PAUSE: Duration = Duration::from_millis(2);

/// The group that the worker itself moves to, since a group whose members' resources are limited
/// may hold no processes of its own.
const OWN: &str = "runner";

/// What the names of the groups of a worker begin with; its process id follows.
const WORKER: &str = "worker-";

/// A control group (cgroup v2) of this process's own, in which every command gets one below it: all
/// of a command's processes are in it, whatever they do, are killed at one stroke, and share its
/// limits. See Documentation/admin-guide/cgroup-v2.rst of the kernel.
#[derive(Clone, Debug)]
pub struct ControlGroups(Arc<Worker>);

#[derive(Debug)]
struct Worker {
    directory: PathBuf,
    next: AtomicU64,
    max_processes: u64,
}

/// The group of one command. It is removed with this value; its processes must be gone by then.
#[derive(Debug)]
pub(super) struct ControlGroup {
    directory: PathBuf,
}

impl ControlGroups {
    /// Uses the group that this process is in, if it was delegated to it, as systemd does for a
    /// unit with `Delegate=yes`; `None` if it was not, or there are no control groups of version 2.
    /// The process and its parent move to a group below it. A command may have `max_processes` at
    /// one time.
    ///
    /// # Errors
    /// It was delegated and cannot be used.
    pub fn delegated(max_processes: u64) -> io::Result<Option<Self>> {
        let Some(directory) = own_directory() else { return Ok(None) };
        let mut mark = [0; 1];
        // Set by systemd since version 251.
        let is_delegated = rustix::fs::getxattr(&directory, "user.delegate", &mut mark)
            .is_ok_and(|length| mark[..length] == *b"1");
        if !is_delegated {
            return Ok(None);
        }
        let own = directory.join(OWN);
        make(&own)?;
        for id in getppid().into_iter().chain([getpid()]) {
            fs::write(own.join("cgroup.procs"), id.as_raw_pid().to_string())?;
        }
        Self::below(&directory, max_processes).map(Some)
    }

    /// Uses a group that an operator made for it. This process stays where it is.
    ///
    /// # Errors
    /// It is not a directory of a file system of type cgroup2 that this process may write to.
    pub fn below(directory: &Path, max_processes: u64) -> io::Result<Self> {
        if !directory.join("cgroup.procs").is_file() {
            let message = format!("{} is not a control group", directory.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        remove_those_of_the_dead(directory)?;
        enable_controllers(directory)?;
        let worker = directory.join(format!("{WORKER}{}", getpid().as_raw_pid()));
        make(&worker)?;
        enable_controllers(&worker)?;
        let next = AtomicU64::new(0);
        Ok(Self(Arc::new(Worker { directory: worker, next, max_processes })))
    }

    /// A group for one command. A limit of memory that the kernel was not allowed to keep to is
    /// left to others; `true` says that this one is kept.
    pub(super) fn create(&self, max_memory_mb: Option<u64>) -> io::Result<(ControlGroup, bool)> {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let group = ControlGroup { directory: self.0.directory.join(number.to_string()) };
        fs::create_dir(&group.directory)?;
        set(&group.directory.join("pids.max"), &self.0.max_processes.to_string())?;
        let Some(megabytes) = max_memory_mb else { return Ok((group, false)) };
        let bytes = megabytes.saturating_mul(1024 * 1024).to_string();
        let is_limited = set(&group.directory.join("memory.max"), &bytes)?;
        set(&group.directory.join("memory.swap.max"), "0")?;
        // All of a command or nothing: half of it would hang.
        set(&group.directory.join("memory.oom.group"), "1")?;
        Ok((group, is_limited))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        remove(&self.directory);
    }
}

impl ControlGroup {
    /// Where a process writes to join the group.
    pub(super) fn door(&self) -> io::Result<File> {
        File::options().write(true).open(self.directory.join("cgroup.procs"))
    }

    /// How many processes the kernel has killed since the group or the machine had no memory left.
    pub(super) fn oom_kills(&self) -> u64 {
        let events = fs::read_to_string(self.directory.join("memory.events")).unwrap_or_default();
        let count = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }

    /// Kills all that is in the group and waits for a bounded time until it is gone.
    pub(super) async fn kill(&self) {
        let started = Instant::now();
        while self.is_populated() {
            if let Err(error) = kill(&self.directory) {
                tracing::warn!(%error, "cannot kill a control group");
                return;
            }
            if started.elapsed() > GONE_LIMIT {
                tracing::error!("processes of a control group cannot be killed");
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn is_populated(&self) -> bool {
        let events = fs::read_to_string(self.directory.join("cgroup.events")).unwrap_or_default();
        events.lines().any(|line| line == "populated 1")
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        if self.is_populated()
            && let Err(error) = kill(&self.directory)
        {
            tracing::warn!(%error, "cannot kill a control group");
        }
        remove(&self.directory);
    }
}

/// The directory of the group that this process is in.
fn own_directory() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        // Of a part of the hierarchy alone, paths would mean something else.
        let is_whole = fields.next()? == "/";
        (is_whole && after.starts_with("cgroup2 ")).then(|| fields.next())?
    })?;
    Some(Path::new(mount).join(path))
}

/// Lets the groups below have limits of memory and processes, as far as this group may give them.
fn enable_controllers(directory: &Path) -> io::Result<()> {
    let available = fs::read_to_string(directory.join("cgroup.controllers"))?;
    for controller in ["memory", "pids"] {
        if available.split_ascii_whitespace().any(|name| name == controller) {
            fs::write(directory.join("cgroup.subtree_control"), format!("+{controller}"))?;
        }
    }
    Ok(())
}

/// Removes the groups of workers that did not come to do so, with what is left in them.
fn remove_those_of_the_dead(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(WORKER)?.parse().ok());
        let Some(id) = id.and_then(Pid::from_raw) else { continue };
        if test_kill_process(id) != Err(Errno::SRCH) {
            continue;
        }
        kill(&entry.path())?;
        for group in fs::read_dir(entry.path())?.flatten() {
            if group.path().is_dir() {
                remove(&group.path());
            }
        }
        remove(&entry.path());
    }
    Ok(())
}

fn make(directory: &Path) -> io::Result<()> {
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Sets a limit, unless the kernel keeps none of this kind here; answers whether it does.
fn set(file: &Path, value: &str) -> io::Result<bool> {
    match fs::write(file, value) {
        Ok(()) => Ok(true),
        // A file that is not there cannot be made there either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) && !file.exists() =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn kill(directory: &Path) -> io::Result<()> {
    fs::write(directory.join("cgroup.kill"), "1")
}

/// Removes a group that has no processes any more. They may take a moment to be gone.
fn remove(directory: &Path) {
    let started = Instant::now();
    while let Err(error) = fs::remove_dir(directory) {
        let is_busy = error.raw_os_error() == Some(Errno::BUSY.raw_os_error());
        if !is_busy || started.elapsed() > Duration::from_millis(200) {
            tracing::debug!(%error, group = %directory.display(), "a control group is left behind");
            return;
        }
        std::thread::sleep(PAUSE);
    }
}
