use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use jobrunner_core::{
    Executor,
    executor::{OutputSink, RunContext},
    log::Stream,
};
use tokio_util::sync::CancellationToken;

use super::{Collected, executor, job, script};

/// Counts bytes and forgets them.
#[derive(Default)]
struct Counted(AtomicU64);

#[async_trait]
impl OutputSink for Counted {
    async fn write(&self, _stream: Stream, bytes: Bytes) {
        assert!(bytes.len() <= 64 * 1024);
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

fn peak_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("our status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    let number = line.split_whitespace().nth(1).expect("a number");
    number.parse().expect("a number")
}

#[test]
fn p10_memory_does_not_grow_with_the_output() {
    let program = std::env::current_exe().expect("this program");
    let alone = "executor::output::measures_memory_in_a_process_of_its_own";
    let measured = Command::new(program).args(["--exact", alone, "--ignored"]).output();
    let measured = measured.expect("this program, once more");
    let said = String::from_utf8_lossy(&measured.stdout);
    assert!(measured.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "runs as the child of another test"]
async fn measures_memory_in_a_process_of_its_own() {
    let sink = Arc::new(Counted::default());
    let context = RunContext { stop: CancellationToken::new(), output: Arc::clone(&sink) as _ };
    let before = peak_memory_kib();
    let outcome = executor().run(&job(["head", "-c", "200000000", "/dev/zero"]), context).await;
    assert_eq!(outcome.reason, None);
    assert_eq!(sink.0.load(Ordering::Relaxed), 200_000_000);
    let grown = peak_memory_kib() - before;
    assert!(grown < 32 * 1024, "memory grew by {grown} KiB");
}

/// Longer than the executor waits for the output of a command that has ended.
const SLOW: Duration = Duration::from_secs(5);

/// Takes its time over the first piece.
#[derive(Default)]
struct Slow {
    collected: Collected,
}

#[async_trait]
impl OutputSink for Slow {
    async fn write(&self, stream: Stream, bytes: Bytes) {
        if self.collected.is_empty() {
            tokio::time::sleep(SLOW).await;
        }
        self.collected.write(stream, bytes).await;
    }
}

#[tokio::test]
async fn p8_what_waits_in_the_pipe_for_a_slow_sink_is_not_lost() {
    let sink = Arc::new(Slow::default());
    let context = RunContext { stop: CancellationToken::new(), output: Arc::clone(&sink) as _ };
    // The first byte keeps the sink busy; the rest fits into the pipe.
    let job = script("printf 1; sleep 0.2; head -c 60000 /dev/zero");
    let outcome = executor().run(&job, context).await;
    assert_eq!(outcome.reason, None);
    assert!(outcome.duration < SLOW, "the sink's time is not the command's");
    assert_eq!(sink.collected.len(), 60_001);
}
