//! What every executor must do.

/// What becomes of a command, and what it is told.
pub mod commands;
/// When a command is to end, and what is left of it.
pub mod ends;
/// What a command sees, and what has to be there for it.
pub mod environment;
/// What a command writes.
pub mod output;
/// What a command leaves behind that says how its tests ended.
pub mod reports;

use std::{
    any::Any,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{spec, wait_until};
use crate::{
    BatchId, Executor, JobId, UserId,
    attempt::Outcome,
    executor::{OutputSink, Run, RunContext},
    log::Stream,
};

/// A grace for commands that end when they are asked to: more than they need on any machine.
pub const LONG_GRACE: Duration = Duration::from_secs(60);

/// A grace for commands that do not.
pub const SHORT_GRACE: Duration = Duration::from_secs(1);

/// The executors under test, and where their commands can work.
pub struct ExecutorFixture {
    make: Box<dyn Fn(Duration) -> Arc<dyn Executor> + Send + Sync>,
    directory: PathBuf,
    _keep: Box<dyn Any + Send + Sync>,
}

impl ExecutorFixture {
    /// Executors of commands on this machine. Each gives a command so long to end after it was
    /// asked to, before it is killed.
    ///
    /// # Panics
    /// No directory can be made.
    pub fn new(make: impl Fn(Duration) -> Arc<dyn Executor> + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self::at(directory.path().to_owned(), directory, make)
    }

    /// Executors of commands elsewhere, which work in this directory: it is empty, every command
    /// sees it by this path and may write to it. `keep` is kept until the test ends. Commands need
    /// a shell, the core utilities and `flock`.
    pub fn at(
        directory: impl Into<PathBuf>,
        keep: impl Any + Send + Sync,
        make: impl Fn(Duration) -> Arc<dyn Executor> + Send + Sync + 'static,
    ) -> Self {
        Self { make: Box::new(make), directory: directory.into(), _keep: Box::new(keep) }
    }

    /// A path in the directory where commands work.
    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn job<A: AsRef<str>>(&self, command: impl IntoIterator<Item = A>) -> Run {
        job(&self.directory, command)
    }

    fn script(&self, text: &str) -> Run {
        self.job(["sh", "-c", text])
    }

    async fn run(&self, run: &Run) -> Ran {
        Ran::by((self.make)(LONG_GRACE).as_ref(), run).await
    }

    /// Runs a script with a timeout in seconds, whether or not it ends when it is asked to.
    async fn run_with_timeout(&self, grace: Duration, seconds: u64, text: &str) -> Ran {
        let mut run = self.script(text);
        run.spec.timeout_seconds = seconds;
        Ran::by((self.make)(grace).as_ref(), &run).await
    }

    async fn start(&self, grace: Duration, text: &str) -> Running {
        Running::start((self.make)(grace), self.script(text)).await
    }

    /// Whether a process holds the lock that a script took by [`HOLDS`].
    async fn is_held(&self) -> bool {
        let ran = self.run(&self.job(["flock", "--nonblock", LOCK, "true"])).await;
        match ran.outcome.exit_code {
            Some(0) => false,
            Some(1) => true,
            _ => panic!("flock(1) says {ran:?}"),
        }
    }
}

/// The file that is locked by processes which must not be left.
const LOCK: &str = "lock";

/// Locks that file until the shell and everything that it starts from then on has ended, and says
/// so if it was free.
const HOLDS: &str = "exec 9>lock; flock --nonblock 9 && echo up";

/// A job of this command, member of a batch, at its second attempt.
pub fn job<A: AsRef<str>>(directory: &Path, command: impl IntoIterator<Item = A>) -> Run {
    let mut spec = spec("a job");
    spec.command = command.into_iter().map(|part| part.as_ref().to_owned()).collect();
    spec.working_dir = directory.display().to_string();
    spec.queue = "nightly".to_owned();
    Run { job: JobId::new(), owner: UserId::new(), batch: Some(BatchId::new()), attempt: 2, spec }
}

/// What one run left behind.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub outcome: Outcome,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it wrote.
    pub stderr: Vec<u8>,
}

impl Ran {
    /// Runs a command to its end.
    pub async fn by(executor: &dyn Executor, run: &Run) -> Self {
        let sink = Arc::new(Collected::default());
        let context = RunContext { stop: CancellationToken::new(), output: Arc::clone(&sink) as _ };
        let outcome = executor.run(run, context).await;
        let [stdout, stderr] = sink.take();
        Self { outcome, stdout, stderr }
    }

    /// What it wrote to standard output.
    ///
    /// # Panics
    /// It is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output in UTF-8")
    }

    /// Why it did not pass, or nothing.
    #[must_use]
    pub fn error(&self) -> &str {
        self.outcome.error.as_deref().unwrap_or_default()
    }
}

/// A command that has begun.
pub struct Running {
    /// Ends it.
    pub stop: CancellationToken,
    /// What it has written.
    pub output: Arc<Collected>,
    /// The run itself.
    pub task: JoinHandle<Outcome>,
}

impl Running {
    /// Starts a command and returns when it has written something.
    ///
    /// # Panics
    /// It writes nothing.
    pub async fn start(executor: Arc<dyn Executor>, run: Run) -> Self {
        let stop = CancellationToken::new();
        let output = Arc::new(Collected::default());
        let context = RunContext { stop: stop.clone(), output: Arc::clone(&output) as _ };
        let task = tokio::spawn(async move { executor.run(&run, context).await });
        wait_until("a command to run", || async { (!output.is_empty()).then_some(()) }).await;
        Self { stop, output, task }
    }
}

/// A sink that keeps everything.
#[derive(Debug, Default)]
pub struct Collected(Mutex<[Vec<u8>; 2]>);

impl Collected {
    /// What was written to both streams, which is forgotten here.
    pub fn take(&self) -> [Vec<u8>; 2] {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How much was written to both streams.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Vec::len).sum()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl OutputSink for Collected {
    async fn write(&self, stream: Stream, bytes: Bytes) {
        let index = usize::from(stream == Stream::Stderr);
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        streams[index].extend_from_slice(&bytes);
    }
}
