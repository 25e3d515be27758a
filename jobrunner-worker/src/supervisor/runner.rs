use std::{ffi::CString, io, os::fd::OwnedFd, process::exit, thread, time::Duration};

use jobrunner_core::{
    daemon::{Trouble, say},
    executor::Reaper,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, getppid, pidfd_open, setsid},
    thread::{set_name, set_no_new_privs},
};

/// How often orphans are looked for between the ends of jobs.
const TIDY_PERIOD: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// How long what the runner has started may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(5);

/// Makes this process a runner: it and what it starts have no terminal and can gain no privileges,
/// it is handed the orphans of what it starts, and it ends with all of that when its supervisor
/// does.
pub(super) fn prepare(name: &str, supervisor: Pid) -> io::Result<Reaper> {
    // Before anything is started: a command inherits it and needs no code of its own for that. What
    // the terminal has to say comes by the supervisor, which stays in its session.
    setsid()?;
    // It was started by another name than its own.
    set_name(&CString::new(name)?)?;
    // Threads inherit it, commands too.
    set_no_new_privs(true)?;
    let reaper = Reaper::install()?;
    let descriptor = pidfd_open(supervisor, PidfdFlags::empty())?;
    if getppid() != Some(supervisor) {
        return Err(io::Error::other("the supervisor has ended already"));
    }
    let watched = reaper.clone();
    let name = name.to_owned();
    thread::Builder::new()
        .name("supervisor".to_owned())
        .spawn(move || watch(&name, &descriptor, &watched))?;
    Ok(reaper)
}

/// Tidies up until the supervisor has ended, then ends everything. A thread of its own, since it
/// must work when nothing else does.
fn watch(name: &str, supervisor: &OwnedFd, reaper: &Reaper) {
    loop {
        let mut ends = [PollFd::new(supervisor, PollFlags::IN)];
        match poll(&mut ends, Some(&TIDY_PERIOD)) {
            Ok(0) | Err(Errno::INTR) => reaper.tidy(),
            Ok(_) => break,
            Err(error) => {
                say(&format!("{name}: cannot watch the supervisor any more: {error}"));
                break;
            }
        }
    }
    match reaper.end_everything(GONE_LIMIT) {
        Ok(killed) => {
            say(&format!("{name}: the supervisor has ended; {killed} processes were killed"));
        }
        Err(error) => say(&format!("{name}: the supervisor has ended: {error}")),
    }
    exit(Trouble::Os.code().into());
}
