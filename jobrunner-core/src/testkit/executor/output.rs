use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{Collected, ExecutorFixture, LONG_GRACE};
use crate::{
    executor::{MOST_BYTES, OutputSink, RunContext},
    log::Stream,
};

/// Whatever the bytes are.
pub async fn p8_both_streams_are_byte_exact(fixture: &ExecutorFixture) {
    let text = r"printf 'a\000b\377\376\r\n'; printf '\000\200err' >&2";
    let ran = fixture.run(&fixture.script(text)).await;
    assert_eq!(ran.stdout, b"a\0b\xff\xfe\r\n");
    assert_eq!(ran.stderr, b"\0\x80err");
}

/// Neither waits for the other.
pub async fn p8_long_streams_keep_their_order_side_by_side(fixture: &ExecutorFixture) {
    let ran = fixture.run(&fixture.script("seq 200000 & seq 300000 >&2; wait")).await;
    let numbers = |last: u32| (1..=last).map(|number| format!("{number}\n")).collect::<String>();
    assert!(ran.stdout == numbers(200_000).as_bytes());
    assert!(ran.stderr == numbers(300_000).as_bytes());
}

/// It is not kept until the end.
pub async fn output_arrives_while_the_command_runs(fixture: &ExecutorFixture) {
    let running = fixture.start(LONG_GRACE, "echo now; exec sleep 60").await;
    assert!(!running.task.is_finished());
    assert_eq!(running.output.take()[0], b"now\n");
    running.stop.cancel();
    running.task.await.expect("the run ends");
}

/// Takes a while over the first piece, and knows the largest.
#[derive(Default)]
struct Slow {
    collected: Collected,
    largest: AtomicUsize,
}

#[async_trait]
impl OutputSink for Slow {
    async fn write(&self, stream: Stream, bytes: Bytes) {
        if self.collected.is_empty() {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        self.largest.fetch_max(bytes.len(), Ordering::Relaxed);
        self.collected.write(stream, bytes).await;
    }
}

/// The command waits, nothing is lost, and what is handed over at one time has a bound.
pub async fn p8_nothing_is_lost_to_a_slow_sink(fixture: &ExecutorFixture) {
    let sink = Arc::new(Slow::default());
    let context = RunContext { stop: CancellationToken::new(), output: Arc::clone(&sink) as _ };
    let job = fixture.script("printf 1; head -c 5000000 /dev/zero; printf 2 >&2");
    let outcome = (fixture.make)(LONG_GRACE).run(&job, context).await;
    assert_eq!(outcome.reason, None);
    let [stdout, stderr] = sink.collected.take();
    assert_eq!((stdout.len(), stderr.len()), (5_000_001, 1));
    let largest = sink.largest.load(Ordering::Relaxed);
    assert!(largest <= MOST_BYTES, "{largest} bytes at one time");
}
