use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{
    join,
    process::{ChildStderr, ChildStdout},
    select,
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Containment, Executor, Run, RunContext,
    activity::Activity,
    cgroup::ControlGroups,
    ending::{Ending, Stopped, without_result},
    env::Inherited,
    kill::{Exit, Tree, Unreaped},
    launch::{Launch, Launched, MOST_WAITING, Refusal, Running},
    output::pump,
    reaper::Reaper,
    report::{MOST_READERS, Reports},
};
use crate::{
    attempt::Outcome, job::LoadingVariables, log::Stream, report::Report, workdir::AllowedRoots,
};

/// How long the output of a command that has ended may stay open: processes that it left behind may
/// hold it, and must not hold the job.
const LINGER: Duration = Duration::from_secs(2);

/// How long a killed process may take to end. One that hangs in the kernel takes longer, but will
/// not run another instruction of its own, so nothing is waited for in vain.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How commands are run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessSettings {
    /// How long a command may take to end after it was asked to, before it is killed.
    pub grace: Duration,
    /// Where commands may run and inputs may lie.
    pub allowed_roots: AllowedRoots,
    /// Which variables that make a program load or run something else jobs may set here.
    pub loading_variables: LoadingVariables,
    /// What collects the processes that leave their group; `None` where this process has other
    /// children of its own.
    pub reaper: Option<Reaper>,
    /// Where each command gets a control group of its own; `None` where there is nothing to make
    /// them in.
    pub cgroups: Option<ControlGroups>,
}

/// Anywhere, with ten seconds of grace, without a reaper and without control groups.
impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            allowed_roots: AllowedRoots::default(),
            loading_variables: LoadingVariables::default(),
            reaper: None,
            cgroups: None,
        }
    }
}

/// Runs commands as processes of this machine, under the worker's own account.
///
/// Each command gets the arguments exactly as given, a process group of its own, the null device as
/// standard input, no other descriptor of the worker than its two pipes, and a clean environment:
/// `PATH, HOME, LANG, LC_*, TZ, USER, TMPDIR` of the worker, `PWD` as the job's working directory
/// is written, links in it not resolved, then the job's variables, then `JOBRUNNER_JOB_ID`,
/// `JOBRUNNER_BATCH_ID` (members of a batch only), `JOBRUNNER_ATTEMPT` and `JOBRUNNER_QUEUE`. A
/// program is looked up in the `PATH` of that environment.
///
/// Commands are of the session of this process: where that has a controlling terminal, they do too,
/// and can read from it and type into it. A program with a terminal calls setsid(2) before it runs
/// commands, as the runner of `jobrunner-worker` does.
///
/// A command that exceeds its timeout or is stopped gets `SIGTERM` (and `SIGCONT`, should it be
/// stopped), all of its group, and after the grace `SIGKILL`. When a command has ended, what is
/// left of its group is killed as soon as its output is closed, and after two seconds in any case.
/// With a [`Reaper`], all this holds for processes too that left the group, for a session of their
/// own for instance; without one they are not followed.
///
/// Needs Linux 5.10 or later, and a Tokio runtime with its I/O and time drivers.
#[derive(Clone, Debug)]
pub struct ProcessExecutor {
    settings: ProcessSettings,
    inherited: Inherited,
    unreaped: Unreaped,
    threads: Arc<Semaphore>,
    readers: Arc<Semaphore>,
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
        let readers = Arc::new(Semaphore::new(MOST_READERS));
        Self { settings, inherited, unreaped: Unreaped::default(), threads, readers }
    }
}

impl ProcessExecutor {
    /// A server may allow what this worker does not.
    fn refused_variable(&self, run: &Run) -> Option<Refusal> {
        let allowed = &self.settings.loading_variables;
        let refused = run.spec.env.keys().find_map(|name| Some((name, allowed.refusal(name)?)));
        refused.map(|(name, why)| Refusal::spawn(&run.spec, format!("was not run: {name} {why}")))
    }
}

#[async_trait]
impl Executor for ProcessExecutor {
    fn containment(&self) -> Containment {
        match (&self.settings.cgroups, &self.settings.reaper) {
            (Some(_), _) => Containment::CgroupV2,
            (None, Some(_)) => Containment::ProcessTree,
            (None, None) => Containment::ProcessGroup,
        }
    }

    async fn run(&self, run: &Run, context: RunContext) -> Outcome {
        if let Some(refusal) = self.refused_variable(run) {
            return without_result(refusal);
        }
        let launch = Launch {
            spec: Arc::new(run.spec.clone()),
            environment: self.inherited.for_run(run),
            allowed_roots: self.settings.allowed_roots.clone(),
            stop: context.stop.clone(),
            unreaped: self.unreaped.clone(),
            reaper: self.settings.reaper.clone(),
            cgroups: self.settings.cgroups.clone(),
            run: (run.job, run.attempt),
            threads: Arc::clone(&self.threads),
        };
        let launched = match launch.carry_out().await {
            Ok(launched) => launched,
            Err(refusal) => return without_result(refusal),
        };
        let patience = Patience {
            timeout: run.spec.timeout(),
            silence: run.spec.silence(),
            grace: self.settings.grace,
        };
        match attend(launched, patience, context).await {
            Ok(ending) => ending.outcome(&run.spec),
            Err(error) => {
                without_result(Refusal::spawn(&run.spec, format!("could not be watched: {error}")))
            }
        }
    }

    async fn report(&self, run: &Run, since: SystemTime) -> Report {
        let reports = Reports {
            working_dir: run.spec.working_dir.clone(),
            globs: run.spec.junit.clone(),
            allowed_roots: self.settings.allowed_roots.clone(),
            since,
        };
        reports.read(Arc::clone(&self.readers)).await
    }
}

/// How long a command may go on.
#[derive(Clone, Copy)]
struct Patience {
    timeout: Duration,
    silence: Option<Duration>,
    grace: Duration,
}

/// Reads a command's output and sees it to its end.
///
/// # Errors
/// The runtime cannot watch any more descriptors, or is shutting down; the command is killed.
async fn attend(launched: Launched, patience: Patience, context: RunContext) -> io::Result<Ending> {
    let sink = context.output.as_ref();
    let begun = async |output: [Bytes; 2]| {
        for (stream, bytes) in [Stream::Stdout, Stream::Stderr].into_iter().zip(output) {
            if !bytes.is_empty() {
                sink.write(stream, bytes).await;
            }
        }
    };
    let running = match launched {
        Launched::Ended { ending, output } => {
            begun(output).await;
            return Ok(ending);
        }
        Launched::Running(running) => *running,
    };
    let Running { tree, exit, stdout, stderr, started, beginning } = running;
    let activity = Activity::since(started.into());
    let exit = Exit::watch(exit)?;
    let stdout = ChildStdout::from_std(stdout)?;
    let stderr = ChildStderr::from_std(stderr)?;

    let (closing, closed) = (CancellationToken::new(), CancellationToken::new());
    let reading = async {
        let taking = activity.written();
        begun(beginning.output).await;
        drop(taking);
        join!(
            pump(stdout, Stream::Stdout, sink, &activity, &closing),
            pump(stderr, Stream::Stderr, sink, &activity, &closing)
        );
        closed.cancel();
    };
    let watching = async {
        // Whatever happens to the watch, the reading has to end.
        let _closing = closing.clone().drop_guard();
        let watch = Watch {
            tree,
            exit: &exit,
            started: started.into(),
            activity: &activity,
            patience,
            stop: &context.stop,
            closed: &closed,
        };
        watch.run().await
    };
    let (ending, ()) = join!(watching, reading);
    ending
}

/// What is needed to see a command to its end.
struct Watch<'a> {
    tree: Tree,
    exit: &'a Exit,
    started: Instant,
    activity: &'a Activity,
    patience: Patience,
    stop: &'a CancellationToken,
    /// Canceled when its output is closed.
    closed: &'a CancellationToken,
}

impl Watch<'_> {
    async fn run(self) -> io::Result<Ending> {
        let stopped = self.until_ended_or_told_to().await?;
        let mut linger = Instant::now() + LINGER;
        if stopped.is_some() {
            linger = Instant::now() + self.patience.grace;
            if !self.make_end().await? {
                let (status, duration) = (None, self.started.elapsed());
                return Ok(Ending { status, stopped, out_of_memory: false, duration });
            }
            linger = linger.min(Instant::now() + LINGER);
        }
        let duration = self.started.elapsed();
        select! {
            () = self.closed.cancelled() => {}
            () = sleep_until(linger) => {}
            () = self.stop.cancelled(), if stopped.is_none() => {}
        }
        let stopped = stopped.or_else(|| self.tree.is_closed().then_some(Stopped::Canceled));
        let out_of_memory = self.tree.out_of_memory();
        let status = Some(self.tree.finish().await?);
        Ok(Ending { status, stopped, out_of_memory, duration })
    }

    async fn until_ended_or_told_to(&self) -> io::Result<Option<Stopped>> {
        let silent = async {
            match self.patience.silence {
                Some(silence) => self.activity.silent_for(silence).await,
                None => std::future::pending().await,
            }
        };
        let left = self.patience.timeout.saturating_sub(self.started.elapsed());
        select! {
            biased;
            ended = self.exit.wait() => ended.map(|()| None),
            () = self.stop.cancelled() => Ok(Some(Stopped::Canceled)),
            () = sleep(left) => Ok(Some(Stopped::Timeout)),
            () = silent => Ok(Some(Stopped::Silent)),
        }
    }

    /// Asks the command to end, then kills it. Answers whether it has ended.
    async fn make_end(&self) -> io::Result<bool> {
        self.tree.terminate().await;
        if let Ok(ended) = timeout(self.patience.grace, self.exit.wait()).await {
            return ended.map(|()| true);
        }
        self.tree.kill();
        match timeout(KILL_LIMIT, self.exit.wait()).await {
            Ok(ended) => ended.map(|()| true),
            Err(_) => Ok(false),
        }
    }
}
