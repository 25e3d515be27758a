//! Two processes instead of one, so that nothing outlives a crash: a tiny supervisor, and the
//! runner that does the work.
//!
//! Each watches over the other. Both are reapers of their descendants (prctl(2),
//! `PR_SET_CHILD_SUBREAPER`), so whatever the commands of jobs have started stays below them in the
//! tree of processes, also what left its session and its parent. When the runner ends, by whatever
//! cause, the supervisor kills all that is left of it, and ends in the same way or starts another
//! ([`Leaving`]). When the supervisor ends, the runner kills all it has started and ends too. That
//! takes no process for each job and no code between fork and exec.
//!
//! The supervisor stays where it was started, the runner begins a session of its own: a command has
//! no terminal that it could read from or type into, and its keys reach the runner by the
//! supervisor alone (`parent.rs`).
//!
//! The supervisor also serves as the first process of a container: it reaps whatever it is given.

mod parent;
mod runner;

use std::process::ExitCode;

use jobrunner_core::{
    daemon::{Trouble, say},
    executor::Reaper,
};
use rustix::process::getppid;

/// Tells the runner who its supervisor is. Commands do not see it.
const SUPERVISOR: &str = "JOBRUNNER_SUPERVISOR_PID";

/// Tells a runner that another one was here before it. Commands do not see it.
const RESTARTED: &str = "JOBRUNNER_RESTARTED";

/// What a supervisor does when its runner has left without having been asked to: a signal ended it
/// that went to itself, as a command of the same account can send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// Ends, too.
    IsTheEnd,
    /// Starts another, at once and then after longer and longer pauses, until it is asked to end
    /// itself or the runner ends by an exit code other than 0.
    IsRestarted,
}

/// Does the work of this process under a supervisor: the process that calls this becomes the
/// supervisor and starts itself again, with the same arguments, as the runner; there, `work` is
/// called. Answers how the work ended.
///
/// Call it first of all in `main`, before there are other threads. `name` begins the messages.
pub fn supervised(name: &str, leaving: Leaving, work: impl FnOnce(Reaper) -> ExitCode) -> ExitCode {
    let outcome = match supervisor() {
        Some(supervisor) => runner::prepare(name, supervisor).map(work),
        None => parent::supervise(name, leaving),
    };
    outcome.unwrap_or_else(|error| {
        say(&format!("{name}: cannot supervise what is to be run: {error}"));
        Trouble::Os.into()
    })
}

/// Whether this is a runner that was started in place of one that has left: what is done once at
/// the start of a program was done before.
#[must_use]
pub fn is_restarted() -> bool {
    supervisor().is_some() && std::env::var_os(RESTARTED).is_some()
}

/// The process id of the supervisor, if this is the runner: the one that is named is this process's
/// parent. A variable that was passed on from elsewhere names another.
fn supervisor() -> Option<rustix::process::Pid> {
    let named: i32 = std::env::var(SUPERVISOR).ok()?.parse().ok()?;
    getppid().filter(|parent| parent.as_raw_pid() == named)
}
