use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    join,
    process::{ChildStderr, ChildStdout},
    select,
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Executor, RunContext,
    env::Inherited,
    kill::{Exit, Tree, Unreaped, signal_name},
    launch::{Launch, Launched, MOST_WAITING, Refusal},
    output::pump,
    reaper::Reaper,
};
use crate::{
    job::Reason,
    lease::{Leased, Outcome},
    log::Stream,
    workdir::AllowedRoots,
};

/// How long the output of a command that has ended may stay open: processes that it left behind may
/// hold it, and must not hold the job.
const LINGER: Duration = Duration::from_secs(2);

/// How long a killed process may take to end. One that hangs in the kernel takes longer, but will
/// not run another instruction of its own, so nothing is waited for in vain.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How commands are run.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// How long a command may take to end after it was asked to, before it is killed.
    pub grace: Duration,
    /// Where commands may run and inputs may lie.
    pub allowed_roots: AllowedRoots,
    /// What collects the processes that leave their group; `None` where this process has other children
    /// of its own.
    pub reaper: Option<Reaper>,
}

/// Runs commands as processes of this machine, under the worker's own account.
///
/// Each command gets the arguments exactly as given, a process group of its own, the null device as
/// standard input, no other descriptor of the worker than its two pipes, and a clean environment:
/// `PATH, HOME, LANG, LC_*, TZ, USER, TMPDIR` of the worker, then the job's variables, then
/// `JOBRUNNER_JOB_ID`, `JOBRUNNER_BATCH_ID` (members of a batch only), `JOBRUNNER_ATTEMPT` and
/// `JOBRUNNER_QUEUE`. A program is looked up in the `PATH` of that environment.
///
/// A command that exceeds its timeout or is stopped gets `SIGTERM` (and `SIGCONT`, should it be
/// stopped), all of its group, and after the grace `SIGKILL`. When a command has ended, what is left
/// of its group is killed as soon as its output is closed, and after two seconds in any case.
/// With a [`Reaper`], all this holds for processes too that left the group, for a session of their own for
/// instance; without one they are not followed.
///
/// Needs Linux 5.10 or later, and a Tokio runtime with its I/O and time drivers.
#[derive(Clone, Debug)]
pub struct ProcessExecutor {
    settings: ProcessSettings,
    inherited: Inherited,
    unreaped: Unreaped,
    threads: Arc<Semaphore>,
}

impl ProcessExecutor {
    /// An executor that passes on the present environment of this process, as far as it may.
    ///
    /// Marks every descriptor from 3 on that this process has open as close-on-exec, lest those it
    /// was itself started with reach the commands. What Rust opens is marked from the start.
    #[must_use]
    pub fn new(settings: ProcessSettings) -> Self {
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let inherited = Inherited::among(std::env::vars_os());
        let threads = Arc::new(Semaphore::new(MOST_WAITING));
        Self { settings, inherited, unreaped: Unreaped::default(), threads }
    }
}

#[async_trait]
impl Executor for ProcessExecutor {
    async fn run(&self, job: &Leased, context: RunContext) -> Outcome {
        let launch = Launch {
            spec: Arc::new(job.spec.clone()),
            environment: self.inherited.for_job(job),
            allowed_roots: self.settings.allowed_roots.clone(),
            stop: context.stop.clone(),
            unreaped: self.unreaped.clone(),
            reaper: self.settings.reaper.clone(),
            run: (job.lease.job, job.attempt),
            threads: Arc::clone(&self.threads),
        };
        let launched = match launch.carry_out().await {
            Ok(launched) => launched,
            Err(refusal) => return without_result(refusal),
        };
        let limits = Limits { timeout: job.spec.timeout(), grace: self.settings.grace };
        match attend(launched, limits, context).await {
            Ok(ending) => ending.outcome(limits),
            Err(error) => {
                without_result(Refusal::spawn(&job.spec, format!("could not be watched: {error}")))
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Limits {
    timeout: Duration,
    grace: Duration,
}

/// Why a command was told to end.
#[derive(Clone, Copy)]
enum Stopped {
    Timeout,
    Canceled,
}

struct Ending {
    /// `None` when the process hangs in the kernel.
    status: Option<ExitStatus>,
    stopped: Option<Stopped>,
    duration: Duration,
}

/// Reads a command's output and sees it to its end.
///
/// # Errors
/// The runtime cannot watch any more descriptors, or is shutting down; the command is killed.
async fn attend(launched: Launched, limits: Limits, context: RunContext) -> io::Result<Ending> {
    let Launched { tree, exit, stdout, stderr, started } = launched;
    let exit = Exit::watch(exit)?;
    let stdout = ChildStdout::from_std(stdout)?;
    let stderr = ChildStderr::from_std(stderr)?;

    let (closing, closed) = (CancellationToken::new(), CancellationToken::new());
    let sink = context.output.as_ref();
    let reading = async {
        join!(
            pump(stdout, Stream::Stdout, sink, &closing),
            pump(stderr, Stream::Stderr, sink, &closing)
        );
        closed.cancel();
    };
    let watching = async {
        // Whatever happens to the watch, the reading has to end.
        let _closing = closing.clone().drop_guard();
        watch(tree, &exit, started.into(), limits, &context.stop, &closed).await
    };
    let (ending, ()) = join!(watching, reading);
    ending
}

async fn watch(
    tree: Tree,
    exit: &Exit,
    started: Instant,
    limits: Limits,
    stop: &CancellationToken,
    closed: &CancellationToken,
) -> io::Result<Ending> {
    let stopped = select! {
        biased;
        ended = exit.wait() => { ended?; None }
        () = stop.cancelled() => Some(Stopped::Canceled),
        () = sleep(limits.timeout.saturating_sub(started.elapsed())) => Some(Stopped::Timeout),
    };
    let mut patience = Instant::now() + LINGER;
    if stopped.is_some() {
        patience = Instant::now() + limits.grace;
        tree.terminate().await;
        match timeout(limits.grace, exit.wait()).await {
            Ok(ended) => ended?,
            Err(_) => {
                tree.kill();
                match timeout(KILL_LIMIT, exit.wait()).await {
                    Ok(ended) => ended?,
                    Err(_) => {
                        return Ok(Ending { status: None, stopped, duration: started.elapsed() });
                    }
                }
            }
        }
        patience = patience.min(Instant::now() + LINGER);
    }
    let duration = started.elapsed();
    select! {
        () = closed.cancelled() => {}
        () = sleep_until(patience) => {}
        () = stop.cancelled(), if stopped.is_none() => {}
    }
    let stopped = stopped.or_else(|| tree.is_closed().then_some(Stopped::Canceled));
    let status = tree.finish().await?;
    Ok(Ending { status: Some(status), stopped, duration })
}

impl Ending {
    fn outcome(self, limits: Limits) -> Outcome {
        let signal = self.status.and_then(|status| status.signal()).map(signal_name);
        let exit_code = self.status.and_then(|status| status.code());
        let (reason, error) = match (self.stopped, exit_code, &signal) {
            (Some(Stopped::Timeout), ..) => {
                let seconds = limits.timeout.as_secs();
                (
                    Some(Reason::Timeout),
                    Some(format!("was killed after its timeout of {seconds} s")),
                )
            }
            (Some(Stopped::Canceled), ..) => {
                (Some(Reason::Canceled), Some("was canceled while it ran".to_owned()))
            }
            (None, Some(0), _) => (None, None),
            (None, Some(code), _) => {
                (Some(Reason::ExitCode), Some(format!("exited with code {code}")))
            }
            (None, None, signal) => {
                let name = signal.as_deref().unwrap_or("an unknown cause");
                (Some(Reason::Signal), Some(format!("was ended by {name}")))
            }
        };
        // A code that a command returns after it was told to end is not the result of its work.
        let exit_code = exit_code.filter(|_| self.stopped.is_none());
        Outcome { reason, exit_code, signal, error, duration: self.duration }
    }
}

fn without_result(refusal: Refusal) -> Outcome {
    Outcome {
        reason: Some(refusal.reason),
        exit_code: None,
        signal: None,
        error: Some(refusal.error),
        duration: Duration::ZERO,
    }
}
