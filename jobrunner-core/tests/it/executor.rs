//! The local-process executor, with real processes.

mod arguments;
mod environment;
mod kill;
mod limits;
mod output;
mod paths;
mod reports;

use std::{
    fs,
    future::Future,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jobrunner_core::{
    executor::{ProcessExecutor, ProcessSettings, Run},
    executor_conformance,
    testkit::{
        self,
        executor::{Collected, ExecutorFixture, Ran},
    },
    workdir::AllowedRoots,
};

async fn local() -> ExecutorFixture {
    ExecutorFixture::new(|grace| {
        let mut settings = settings();
        settings.grace = grace;
        Arc::new(ProcessExecutor::new(settings))
    })
}

executor_conformance!(local);

/// The grace of the executors here: more than whoever ends when it is asked to needs on any
/// machine.
const GRACE: Duration = Duration::from_secs(60);

/// The grace for commands that do not end when they are asked to.
const SHORT_GRACE: Duration = Duration::from_secs(1);

fn job<A: AsRef<str>>(command: impl IntoIterator<Item = A>) -> Run {
    testkit::executor::job(Path::new("/"), command)
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
    Ran::by(executor, job).await
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
