use std::{
    collections::HashSet,
    fs, io,
    os::fd::OwnedFd,
    str::FromStr,
    thread::sleep,
    time::{Duration, Instant},
};

use jobrunner_core::JobId;
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal},
};

/// How long the killed processes may take to be gone.
const LIMIT: Duration = Duration::from_secs(5);

/// How every command's environment names its job.
const MARK: &[u8] = b"JOBRUNNER_JOB_ID=";

/// Kills what a worker that died left running of these jobs, wherever it is in the process tree,
/// and waits until it is gone; answers how many processes it killed. Call it before the jobs can be
/// run again, with those that were taken back from a worker that is known to be dead.
///
/// Processes are found by the `JOBRUNNER_JOB_ID` in the environment they were started with. One
/// that cleared its environment before it started another program is not found, nor is one of
/// another account, unless the caller is root.
///
/// Blocks for a fraction of a second, at most for five seconds: use a thread that may block.
///
/// # Errors
/// There is no process table under `/proc`, or a process does not go away within five seconds.
pub fn sweep_leftovers(jobs: &[JobId]) -> io::Result<usize> {
    let jobs: HashSet<JobId> = jobs.iter().copied().collect();
    if jobs.is_empty() {
        return Ok(0);
    }
    let deadline = Instant::now() + LIMIT;
    let mut killed = HashSet::new();
    loop {
        // Again and again until none is found: a process may start another while we look.
        let found = find(&jobs)?;
        if found.is_empty() {
            return Ok(killed.len());
        }
        if Instant::now() > deadline {
            let message = format!("{} processes of lost jobs cannot be killed", found.len());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        for (pid, process) in found {
            match pidfd_send_signal(&process, Signal::KILL) {
                Ok(()) => {
                    killed.insert(pid);
                }
                Err(Errno::SRCH) => {}
                Err(error) => {
                    tracing::warn!(process.id = pid.as_raw_pid(), %error, "cannot kill a process");
                }
            }
        }
        sleep(Duration::from_millis(10));
    }
}

fn find(jobs: &HashSet<JobId>) -> io::Result<Vec<(Pid, OwnedFd)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
        else {
            continue;
        };
        if pid == getpid() || !belongs_to(pid, jobs) {
            continue;
        }
        // The process may have ended and its id may be another's by now. A descriptor pins it: what
        // is read after the descriptor was opened is of the same process, or that one is gone and
        // cannot be signaled through it.
        if let Ok(process) = pidfd_open(pid, PidfdFlags::empty())
            && belongs_to(pid, jobs)
        {
            found.push((pid, process));
        }
    }
    Ok(found)
}

/// Whether a process was started for one of the jobs. Not known of those that may not be read; one
/// that has ended has no environment any more.
fn belongs_to(pid: Pid, jobs: &HashSet<JobId>) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())) else {
        return false;
    };
    let mut values = environment.split(|byte| *byte == 0).filter_map(|v| v.strip_prefix(MARK));
    let job = values.next().and_then(|value| std::str::from_utf8(value).ok());
    job.and_then(|job| JobId::from_str(job).ok()).is_some_and(|job| jobs.contains(&job))
}
