//! What starting a command costs the worker itself: processor time of its process, that of the
//! commands left out, beside a bare `posix_spawn` and wait.

use std::{
    env,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use jobrunner_core::{
    BatchId, Executor, JobId, JobSpec, UserId,
    executor::{OutputSink, ProcessExecutor, ProcessSettings, Reaper, Run, RunContext},
    log::Stream,
    testkit::spec,
};
use rustix::time::ClockId;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::Scale;
use crate::{
    limits,
    report::{Line, Unit},
    series::{Series, micros},
    target::Target,
};

/// How many commands run at one time.
const SLOTS: usize = 2;

struct Nowhere;

#[async_trait]
impl OutputSink for Nowhere {
    async fn write(&self, _stream: Stream, _bytes: Bytes) {}
}

pub(crate) fn measure(scale: &Scale) -> Vec<Line> {
    let jobs = scale.count(4_000, 40);
    let [mut own, mut bare, mut rates, mut raw] = [const { Vec::new() }; 4];
    for _ in 0..scale.rounds {
        let before = processor_time();
        raw.push(limits::commands_a_second(jobs));
        bare.push(micros(processor_time() - before) / jobs as f64);
        let [rate, each] = in_a_process_of_its_own(jobs);
        rates.push(rate);
        own.push(each);
    }
    let series = |values: Vec<f64>| values.into_iter().collect::<Series>();
    vec![
        Line::new("the executor alone, 2 slots", Unit::JobsPerSecond, series(rates))
            .beside(limits::RAW, series(raw)),
        Line::new(
            "the executor alone: processor time of its own, a job",
            Unit::Microseconds,
            series(own),
        )
        .beside(limits::RAW, series(bare))
        .reaching(Target::at_most(100.0)),
    ]
}

/// Commands a second, and microseconds of the process itself for each. What runs commands as a
/// worker does collects every child of its process, so that nothing else can be in it.
fn in_a_process_of_its_own(jobs: usize) -> [f64; 2] {
    let output = Command::new(env::current_exe().expect("a path"))
        .args(["--execute", &jobs.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("a process");
    assert!(output.status.success(), "the executor runs everything");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut numbers = text.split_whitespace().map(|word| word.parse().expect("a number"));
    [(); 2].map(|()| numbers.next().expect("two numbers"))
}

/// Runs so many commands, and returns what [`measure`] wants to know of it.
pub(crate) fn execute(jobs: usize) -> [f64; 2] {
    let mut settings = ProcessSettings::default();
    settings.reaper = Some(Reaper::install().expect("a reaper"));
    let executor = Arc::new(ProcessExecutor::new(settings));
    let runtime = Runtime::new().expect("a runtime");
    let (started, before) = (Instant::now(), processor_time());
    runtime
        .block_on(join_all((0..SLOTS).map(|_| {
            let executor = Arc::clone(&executor);
            async move { tokio::spawn(one_after_the_other(executor, jobs / SLOTS)).await }
        })))
        .into_iter()
        .collect::<Result<(), _>>()
        .expect("no panic");
    let rate = jobs as f64 / started.elapsed().as_secs_f64();
    [rate, micros(processor_time() - before) / jobs as f64]
}

async fn one_after_the_other(executor: Arc<ProcessExecutor>, jobs: usize) {
    for _ in 0..jobs {
        let (job, owner, batch) = (JobId::new(), UserId::new(), Some(BatchId::new()));
        let run = Run { job, owner, batch, attempt: 1, spec: truth() };
        let (stop, output) = (CancellationToken::new(), Arc::new(Nowhere));
        let outcome = executor.run(&run, RunContext { stop, output }).await;
        assert_eq!(outcome.reason, None);
    }
}

/// `true`, in the path that services have by default.
fn truth() -> JobSpec {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    JobSpec { env: [("PATH".to_owned(), path.to_owned())].into(), ..spec("true") }
}

/// Of all threads of this process.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
