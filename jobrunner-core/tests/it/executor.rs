//! The local-process executor, with real processes.

mod arguments;
mod environment;
mod kill;
mod limits;
mod output;
mod paths;

use std::{
    fs,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use jobrunner_core::{
    BatchId, Executor, JobId, JobSpec, UserId,
    attempt::Outcome,
    executor::{OutputSink, ProcessExecutor, ProcessSettings, Run, RunContext},
    log::Stream,
    testkit::{self, spec},
    workdir::AllowedRoots,
};
use tokio_util::sync::CancellationToken;

/// The grace of the executors here: more than whoever ends when it is asked to needs on any
/// machine.
const GRACE: Duration = Duration::from_secs(60);

/// The grace for commands that do not end when they are asked to.
const SHORT_GRACE: Duration = Duration::from_secs(1);

/// What one run left behind.
#[derive(Debug)]
struct Ran {
    outcome: Outcome,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ran {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output in UTF-8")
    }

    fn error(&self) -> &str {
        self.outcome.error.as_deref().unwrap_or_default()
    }
}

/// A sink that keeps everything.
#[derive(Default)]
struct Collected(Mutex<[Vec<u8>; 2]>);

impl Collected {
    fn take(&self) -> [Vec<u8>; 2] {
        std::mem::take(&mut *self.0.lock().expect("no other test panicked"))
    }

    fn len(&self) -> usize {
        self.0.lock().expect("no other test panicked").iter().map(Vec::len).sum()
    }
}

#[async_trait]
impl OutputSink for Collected {
    async fn write(&self, stream: Stream, bytes: Bytes) {
        let index = usize::from(stream == Stream::Stderr);
        self.0.lock().expect("no other test panicked")[index].extend_from_slice(&bytes);
    }
}

fn job<A: AsRef<str>>(command: impl IntoIterator<Item = A>) -> Run {
    Run {
        job: JobId::new(),
        owner: UserId::new(),
        batch: Some(BatchId::new()),
        attempt: 2,
        spec: JobSpec {
            command: command.into_iter().map(|part| part.as_ref().to_owned()).collect(),
            queue: "nightly".to_owned(),
            ..spec("job")
        },
    }
}

fn script(text: &str) -> Run {
    job(["sh", "-c", text])
}

fn executor() -> ProcessExecutor {
    ProcessExecutor::new(settings())
}

/// One that waits for [`SHORT_GRACE`] alone.
fn hasty() -> ProcessExecutor {
    let mut settings = settings();
    settings.grace = SHORT_GRACE;
    ProcessExecutor::new(settings)
}

fn executor_within(allowed_roots: AllowedRoots) -> ProcessExecutor {
    let mut settings = settings();
    settings.allowed_roots = allowed_roots;
    ProcessExecutor::new(settings)
}

fn settings() -> ProcessSettings {
    let mut settings = ProcessSettings::default();
    settings.grace = GRACE;
    settings
}

async fn run(job: &Run) -> Ran {
    run_by(&executor(), job).await
}

async fn run_by(executor: &ProcessExecutor, job: &Run) -> Ran {
    let sink = Arc::new(Collected::default());
    let context = RunContext { stop: CancellationToken::new(), output: Arc::clone(&sink) as _ };
    let outcome = executor.run(job, context).await;
    let [stdout, stderr] = sink.take();
    Ran { outcome, stdout, stderr }
}

/// The processes that a job's command started, wherever they are in the tree.
fn alive(job: &Run) -> Vec<String> {
    let mark = format!("JOBRUNNER_JOB_ID={}", job.job);
    let entries = fs::read_dir("/proc").expect("the process table");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let processes = names.filter(|name| name.bytes().all(|c| c.is_ascii_digit()));
    let of_job = |pid: &String| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    processes.filter(of_job).collect()
}

async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    testkit::wait_until(what, || async { condition().then_some(()) }).await;
}

async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}
