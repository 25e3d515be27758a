use std::{
    env, io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitCode},
    time::Duration,
};

use jobrunner_core::{
    daemon::{Trouble, keep_to_itself, say},
    executor::{processes, signal_name},
};
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, set_child_subreaper, wait,
};
use tokio::{
    select,
    signal::unix::{Signal as Signals, SignalKind, signal},
};

use super::SUPERVISOR;

/// How long what is left of the runner may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// Starts the runner, passes signals on to it, reaps whatever is handed to this process, and when the
/// runner has ended kills what is left of it. Answers the runner's exit code, or 128 and the number of the
/// signal that ended it.
///
/// # Errors
/// The runner cannot be started, or something that it left behind does not go away.
pub(super) fn supervise(name: &str) -> io::Result<ExitCode> {
    set_child_subreaper(Some(getpid()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let status = runtime.block_on(async {
        // Before there is a runner, so that no signal goes unheard.
        let mut asked = Asked::listen()?;
        let mut child_ended = signal(SignalKind::child())?;
        let runner = start()?;
        keep_to_itself()?;
        loop {
            if let Some(status) = reap_until(&runner) {
                return io::Result::Ok(status);
            }
            select! {
                asked = asked.next() => pass_on(&runner, asked),
                _ = child_ended.recv() => {}
            }
        }
    })?;
    let killed = processes::kill_descendants(GONE_LIMIT, reap_all)?;
    if let Some(signal) = status.terminating_signal() {
        let signal_name = signal_name(signal);
        say(&format!(
            "{name}: ended by {signal_name}; {killed} processes that it left were killed"
        ));
        return Ok(ExitCode::from(128 + u8::try_from(signal).unwrap_or(0)));
    }
    let code = status.exit_status().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(Trouble::Os.into(), ExitCode::from))
}

/// The same program with the same arguments.
fn start() -> io::Result<Child> {
    let mut arguments = env::args_os();
    // Not by its path: another version may have been installed there.
    let mut runner = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        runner.arg0(name);
    }
    runner.args(arguments).env(SUPERVISOR, getpid().as_raw_pid().to_string()).spawn()
}

/// The signals that ask a process to end.
struct Asked {
    interrupt: Signals,
    terminate: Signals,
    quit: Signals,
    hangup: Option<Signals>,
}

impl Asked {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: if jobrunner_core::daemon::ignores_hangup() {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
        })
    }

    /// The next one. Cancel safe.
    async fn next(&mut self) -> Signal {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.quit.recv() => Signal::QUIT,
            _ = hangup => Signal::HUP,
        }
    }
}

fn pass_on(runner: &Child, asked: Signal) {
    // The runner is not reaped yet, so this is its process id.
    if let Err(error) = kill_process(Pid::from_child(runner), asked) {
        tracing::debug!(%error, "cannot pass a signal on");
    }
}

/// Reaps all that have ended, and answers how the runner did.
fn reap_until(runner: &Child) -> Option<WaitStatus> {
    let runner = Pid::from_child(runner);
    let mut ended = None;
    while let Ok(Some((id, status))) = wait(WaitOptions::NOHANG) {
        if id == runner {
            ended = Some(status);
        }
    }
    ended
}

fn reap_all() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}
