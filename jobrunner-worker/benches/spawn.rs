//! What starting a command costs the worker itself: processor time of this process, that of the commands
//! left out, against a bare `posix_spawn` and wait in the same run.
//!
//! `cargo bench --workspace --all-features --bench spawn`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use jobrunner_core::{
    BatchId, Executor, JobId, JobSpec, UserId,
    executor::{OutputSink, ProcessExecutor, ProcessSettings, Reaper, RunContext},
    job::LoadingVariables,
    lease::{LeaseRef, LeaseToken, Leased},
    log::Stream,
    queue::PostgresQueue,
    store::postgres::{PostgresOptions, PostgresStore},
    testkit::{Fixture, servers::PrivatePostgres, spec},
    workdir::AllowedRoots,
};
use jobrunner_worker::{Worker, WorkerConfig};
use rustix::{process::getpid, time::ClockId};
use tokio_util::sync::CancellationToken;

const JOBS: usize = 4_000;

/// As many commands run at one time as a worker of a machine like this would have slots.
const SLOTS: usize = 2;

/// A worker that waits for a database has more.
const SLOTS_OF_WORKER: u32 = 16;

/// What the worker may take for a job.
const LIMIT: Duration = Duration::from_micros(150);

struct Nowhere;

#[async_trait]
impl OutputSink for Nowhere {
    async fn write(&self, _stream: Stream, _bytes: Bytes) {}
}

/// Processor time of all threads of this process.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn report(what: &str, took: Duration, processor: Duration) -> Duration {
    let each = processor / u32::try_from(JOBS).expect("few");
    println!(
        "{what}: {:.0} jobs a second; the process itself {each:.1?} a job, {:.2} × the limit of {LIMIT:?}",
        JOBS as f64 / took.as_secs_f64(),
        each.as_secs_f64() / LIMIT.as_secs_f64()
    );
    each
}

fn bare() {
    let (started, before) = (Instant::now(), processor_time());
    for _ in 0..JOBS {
        let mut command = Command::new("/bin/true");
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().expect("a process").success());
    }
    report(
        "bare posix_spawn and wait, one after the other",
        started.elapsed(),
        processor_time() - before,
    );
}

/// `true`, in the path that services have by default.
fn truth() -> JobSpec {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    JobSpec { env: [("PATH".to_owned(), path.to_owned())].into(), ..spec("true") }
}

fn settings(reaper: Option<Reaper>) -> ProcessSettings {
    ProcessSettings {
        grace: Duration::from_secs(1),
        allowed_roots: AllowedRoots::default(),
        loading_variables: LoadingVariables::default(),
        reaper,
        cgroups: None,
    }
}

async fn executor_alone(executor: &Arc<ProcessExecutor>) {
    let (started, before) = (Instant::now(), processor_time());
    join_all((0..SLOTS).map(|_| {
        let executor = Arc::clone(executor);
        tokio::spawn(async move {
            for _ in 0..JOBS / SLOTS {
                let lease = LeaseRef { job: JobId::new(), token: LeaseToken(1) };
                let batch = Some(BatchId::new());
                let leased =
                    Leased { lease, owner: UserId::new(), batch, attempt: 1, spec: truth() };
                let (stop, output) = (CancellationToken::new(), Arc::new(Nowhere));
                let outcome = executor.run(&leased, RunContext { stop, output }).await;
                assert_eq!(outcome.reason, None);
            }
        })
    }))
    .await;
    report("the executor", started.elapsed(), processor_time() - before);
}

async fn whole_worker(executor: Arc<ProcessExecutor>) {
    // Children of the first thread are the reaper's; this one lives as long as the server does.
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let (done, wait) = std::sync::mpsc::sync_channel::<()>(1);
    let serving = std::thread::spawn(move || {
        let server = PrivatePostgres::builder().durable().start();
        tell.send(server.create_database()).expect("somebody asks");
        wait.recv().expect_err("nothing is sent");
    });
    let url = told.recv().expect("a server");
    PostgresStore::migrate(&url).await.expect("a schema");
    let store =
        Arc::new(PostgresStore::connect(&url, PostgresOptions::default()).await.expect("a store"));
    let fixture = Fixture::new(Arc::clone(&store) as _, ());
    let jobs: Vec<JobSpec> = vec![truth(); JOBS];
    let batch = fixture.batch(UserId::new(), jobs).await;
    let queue = Arc::new(PostgresQueue::connect(&url, None).await.expect("a queue"));
    let config = WorkerConfig {
        slots: SLOTS_OF_WORKER,
        queues: Vec::new(),
        host: None,
        lease_ttl: Duration::from_secs(15),
        drain: Duration::from_secs(1),
        max_output_bytes: 1 << 20,
    };
    let stop = CancellationToken::new();
    let (started, before) = (Instant::now(), processor_time());
    let worker = tokio::spawn(Worker::new(store, queue, executor, config).run(stop.clone()));
    while !fixture.look_at_batch(batch).await.counts.all_ended() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    report("a worker of 16 slots over Postgres", started.elapsed(), processor_time() - before);
    stop.cancel();
    worker.await.expect("no panic").expect("a clean end");
    drop(done);
    serving.join().expect("the server stops");
}

fn main() {
    println!("process {}, {SLOTS} at one time, {JOBS} times `true`", getpid().as_raw_pid());
    bare();
    let reaper = Reaper::install().expect("a reaper");
    let executor = Arc::new(ProcessExecutor::new(settings(Some(reaper))));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(executor_alone(&executor));
    runtime.block_on(whole_worker(executor));
}
