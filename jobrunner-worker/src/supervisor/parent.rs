use std::{
    env, io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitCode},
    time::{Duration, Instant},
};

use jobrunner_core::{
    daemon::{Trouble, keep_to_itself, say},
    executor::{
        processes::{self, Process},
        signal_name,
    },
};
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, set_child_subreaper, wait,
};
use tokio::{
    select,
    signal::unix::{Signal as Signals, SignalKind, signal},
    time::sleep_until,
};

use super::{Leaving, RESTARTED, SUPERVISOR};

/// How long what is left of the runner may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// The pause before a runner is started again; it doubles with each that does not last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A runner that was there for so long has lasted.
const LASTED: Duration = Duration::from_secs(60);

/// Starts the runner, passes signals on to it, reaps whatever is handed to this process, and when
/// the runner has ended kills what is left of it. A runner that was not asked to end is started
/// again, if `leaving` says so. Answers the exit code of the last one, or 128 and the number of the
/// signal that ended it.
///
/// # Errors
/// The runner cannot be started, or something that it left behind does not go away.
pub(super) fn supervise(name: &str, leaving: Leaving) -> io::Result<ExitCode> {
    set_child_subreaper(Some(getpid()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before there is a runner, so that no signal goes unheard.
        let mut asked = Asked::listen()?;
        let mut child_ended = signal(SignalKind::child())?;
        let mut pause = FIRST_PAUSE;
        let mut is_first = true;
        loop {
            let since = Instant::now();
            let runner = start(is_first)?;
            is_first = false;
            keep_to_itself()?;
            let (status, was_asked) = watch(&runner, &mut asked, &mut child_ended).await;
            let killed = processes::kill_descendants(GONE_LIMIT, reap_all)?;
            let (what, code) = end_of(status);
            if !is_restarted(status, was_asked, leaving) {
                if status.terminating_signal().is_some() {
                    say(&format!("{name}: {what}; {killed} processes that it left were killed"));
                }
                return Ok(code);
            }
            if since.elapsed() >= LASTED {
                pause = FIRST_PAUSE;
            }
            say(&format!(
                "{name}: {what}; {killed} processes that it left were killed; starts again in \
                 {} ms",
                pause.as_millis()
            ));
            if asked.asks_to_end_within(pause).await {
                return Ok(code);
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    })
}

/// Waits until the runner has ended; answers how, and whether it had been asked to.
async fn watch(runner: &Child, asked: &mut Asked, child_ended: &mut Signals) -> (WaitStatus, bool) {
    let mut was_asked = false;
    loop {
        if let Some(status) = reap_until(runner) {
            return (status, was_asked);
        }
        select! {
            asked = asked.next() => {
                was_asked |= is_to_end(asked);
                match asked {
                    Signal::TSTP => stop_with(Some(runner)),
                    other => pass_on(runner, other),
                }
            }
            _ = child_ended.recv() => {}
        }
    }
}

/// Whether a runner that ended so is to be started again. One that gives another exit code than 0
/// has told why it cannot go on, and would tell it again.
fn is_restarted(status: WaitStatus, was_asked: bool, leaving: Leaving) -> bool {
    leaving == Leaving::IsRestarted
        && !was_asked
        && status.exit_status().is_none_or(|code| code == 0)
}

/// How the runner ended, for people and as an exit code.
fn end_of(status: WaitStatus) -> (String, ExitCode) {
    if let Some(signal) = status.terminating_signal() {
        let code = ExitCode::from(128 + u8::try_from(signal).unwrap_or(0));
        return (format!("ended by {}", signal_name(signal)), code);
    }
    let code = status.exit_status().and_then(|code| u8::try_from(code).ok());
    ("ended without being asked to".to_owned(), code.map_or(Trouble::Os.into(), ExitCode::from))
}

/// Whether a signal asks a process to end.
fn is_to_end(asked: Signal) -> bool {
    asked != Signal::TSTP && asked != Signal::CONT
}

/// The same program with the same arguments.
fn start(is_first: bool) -> io::Result<Child> {
    let mut arguments = env::args_os();
    // Not by its path: another version may have been installed there.
    let mut runner = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        runner.arg0(name);
    }
    runner.args(arguments).env(SUPERVISOR, getpid().as_raw_pid().to_string());
    if is_first {
        runner.env_remove(RESTARTED);
    } else {
        runner.env(RESTARTED, "1");
    }
    runner.spawn()
}

/// The signals that ask a process to end, to stop or to go on. Those of a terminal come to the
/// supervisor alone.
struct Asked {
    interrupt: Signals,
    terminate: Signals,
    quit: Signals,
    stop: Signals,
    go_on: Signals,
    hangup: Option<Signals>,
}

impl Asked {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            stop: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
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
            _ = self.stop.recv() => Signal::TSTP,
            _ = self.go_on.recv() => Signal::CONT,
            _ = hangup => Signal::HUP,
        }
    }

    /// Whether a signal that asks to end comes in this time; it is not waited for longer.
    async fn asks_to_end_within(&mut self, pause: Duration) -> bool {
        let over = sleep_until((Instant::now() + pause).into());
        tokio::pin!(over);
        loop {
            select! {
                asked = self.next() => match asked {
                    Signal::TSTP => stop_with(None),
                    other if is_to_end(other) => return true,
                    _ => {}
                },
                () = &mut over => return false,
            }
        }
    }
}

fn pass_on(runner: &Child, asked: Signal) {
    // The runner is not reaped yet, so this is its process id.
    if let Err(error) = kill_process(Pid::from_child(runner), asked) {
        tracing::debug!(%error, "cannot pass a signal on");
    }
}

/// Stops the runner, if there is one, and then this process, until it is told to go on, as Ctrl-Z
/// and `fg` do. Nothing is stopped where no shell is there to let it go on.
fn stop_with(runner: Option<&Child>) {
    if !has_shell() {
        return;
    }
    // The kernel does not let SIGTSTP stop a process whose parent is of another session.
    if let Some(runner) = runner {
        pass_on(runner, Signal::STOP);
    }
    // Returns when this process has been stopped and goes on.
    if let Err(error) = kill_process(getpid(), Signal::STOP) {
        tracing::debug!(%error, "cannot stop");
    }
    if let Some(runner) = runner {
        pass_on(runner, Signal::CONT);
    }
}

/// Whether a process of this session in another process group, as a shell is, waits for this
/// process group or for a script in it. Without one the group is orphaned, and the kernel would not
/// stop it either.
fn has_shell() -> bool {
    let Some(own) = Process::read(getpid()) else { return false };
    let mut process = own;
    while let Some(parent) = Pid::from_raw(process.parent).and_then(Process::read) {
        if parent.session != own.session {
            return false;
        }
        if parent.group != own.group {
            return true;
        }
        process = parent;
    }
    false
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
