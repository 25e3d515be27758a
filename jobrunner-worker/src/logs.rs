//! From a command's output to the store: gathered for a moment, cut into chunks, appended in order.

mod kept;
mod ring;
mod stream;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use jobrunner_core::{
    BatchId, Result, error_line,
    executor::OutputSink,
    lease::{LeaseRef, Leased},
    log::{LogChunk, Stream, Trim},
    queue::Wakeup,
};
use tokio::{
    select,
    sync::mpsc,
    time::{Duration, Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{backoff::until_available, held::Reins, session::Parts};
pub(crate) use ring::RingMemory;
use stream::StreamLog;

/// The largest chunk. As much is stored without waiting for more; and no more than this, all output
/// together, may ride along with the report of an attempt's end.
const CHUNK: usize = 64 * 1024;

/// How much is gathered for the next call of the store while it is busy with the one before. Then
/// the command waits, unless there is memory for a ring.
const BATCH: usize = 4 * CHUNK;

/// How much of a stream one call stores at the most.
const AT_ONCE: usize = 16 * CHUNK;

/// How many pieces may wait between the readers of the pipes and the log.
const WAITING: usize = 2;

/// How long the last output of an attempt that is not reported may take to be stored.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(5);

/// The end of an attempt's log that the executor writes to.
pub(crate) struct Sink(mpsc::Sender<(Stream, Bytes)>);

/// An attempt's log, on its way to the store. What it holds in memory is bounded, whatever the
/// command writes.
pub(crate) struct Log {
    parts: Arc<Parts>,
    lease: LeaseRef,
    /// Canceled when the store says that the lease is lost.
    lost: CancellationToken,
    pieces: mpsc::Receiver<(Stream, Bytes)>,
    streams: [StreamLog; 2],
    /// Whose batch it is of, for those who wait for its first output.
    batch: Option<BatchId>,
    /// Whether anything was stored yet.
    has_begun: bool,
}

/// What is left to be told with the report of an attempt's end.
pub(crate) struct Remainder {
    pub(crate) stdout_bytes: u64,
    pub(crate) stderr_bytes: u64,
    pub(crate) truncated: bool,
    /// What the command said last, if it is told.
    pub(crate) error_line: Option<String>,
    pub(crate) chunks: Vec<LogChunk>,
}

/// A log for the attempt of a started lease.
pub(crate) fn open(parts: &Arc<Parts>, leased: &Leased, reins: &Reins) -> (Sink, Log) {
    let (sender, pieces) = mpsc::channel(WAITING);
    let most = parts.config.max_output_bytes;
    let cap = leased.run.spec.max_output_bytes.map_or(most, |cap| cap.min(most));
    let log = Log {
        parts: Arc::clone(parts),
        lease: leased.lease,
        lost: reins.lost.clone(),
        pieces,
        streams: [StreamLog::new(Stream::Stdout, cap), StreamLog::new(Stream::Stderr, cap)],
        batch: leased.run.batch,
        has_begun: false,
    };
    (Sink(sender), log)
}

#[async_trait]
impl OutputSink for Sink {
    async fn write(&self, stream: Stream, bytes: Bytes) {
        if self.0.send((stream, bytes)).await.is_err() {
            tracing::warn!("output came after the end of its command and is not stored");
        }
    }
}

impl Log {
    /// Takes the output and stores it as it comes, until `ended` and nothing more is waiting. What
    /// comes while the store is busy is gathered for the next call, up to a limit.
    pub(crate) async fn run(mut self, ended: &CancellationToken) -> Self {
        let mut closing = false;
        let mut storing: Option<BoxFuture<'static, Stored>> = None;
        loop {
            let due = self.streams.iter().filter_map(StreamLog::due).min();
            let is_idle = storing.is_none();
            let stored = async {
                match &mut storing {
                    Some(call) => call.await,
                    None => std::future::pending().await,
                }
            };
            select! {
                piece = self.pieces.recv(), if self.waiting() < BATCH => match piece {
                    Some((stream, bytes)) => self.take(stream, &bytes),
                    None => break,
                },
                stored = stored => {
                    storing = None;
                    self.settle(stored);
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if is_idle && due.is_some() => {}
                () = ended.cancelled(), if !closing => {
                    self.pieces.close();
                    closing = true;
                }
            }
            let is_due = || due.is_some_and(|due| due <= Instant::now());
            if storing.is_none() && (self.waiting() >= CHUNK || is_due()) {
                storing = Some(self.cut().store().boxed());
            }
        }
        if let Some(call) = storing {
            self.settle(call.await);
        }
        self
    }

    /// What is to be reported, after what is too much for a report was stored.
    pub(crate) async fn remainder(mut self) -> Remainder {
        if self.pending() > CHUNK || self.streams.iter().any(StreamLog::outgrown) {
            self.flush().await;
        }
        let chunks = self.streams.iter_mut().flat_map(StreamLog::cut).collect();
        let [stdout, stderr] = &self.streams;
        Remainder {
            stdout_bytes: stdout.written(),
            stderr_bytes: stderr.written(),
            truncated: stdout.truncated() || stderr.truncated(),
            error_line: error_line::of(stderr.end()).or_else(|| error_line::of(stdout.end())),
            chunks,
        }
    }

    /// Stores what is left of an attempt that is not reported, if the store takes it soon.
    pub(crate) async fn store_rest(mut self) {
        if self.pending() > 0 && timeout(LAST_WORDS_LIMIT, self.flush()).await.is_err() {
            tracing::warn!(job.id = %self.lease.job, "the end of the output could not be stored");
        }
    }

    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        // A lost lease takes no output; what still comes is let go, so that nobody waits for it.
        if !self.lost.is_cancelled() {
            let other = self.streams[1 - index(stream)].written();
            let stream = &mut self.streams[index(stream)];
            stream.push(bytes, other);
            stream.flood(&self.parts.ring_memory);
        }
    }

    /// How many bytes are gathered that the command may have to wait for.
    fn waiting(&self) -> usize {
        self.streams.iter().map(StreamLog::waiting).sum()
    }

    fn pending(&self) -> usize {
        self.streams.iter().map(StreamLog::pending).sum()
    }

    async fn flush(&mut self) {
        loop {
            let stored = self.cut().store().await;
            self.settle(stored);
            if self.pending() == 0 {
                return;
            }
        }
    }

    /// What is gathered, to be stored next.
    fn cut(&mut self) -> Batch {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        Batch {
            begins: is_first
                .then_some(Wakeup::Changed { job: Some(self.lease.job), batch: self.batch }),
            parts: Arc::clone(&self.parts),
            lease: self.lease,
            lost: self.lost.clone(),
            chunks: self.streams.iter_mut().flat_map(StreamLog::cut).collect(),
            trims: self.streams.iter().filter_map(StreamLog::trim).collect(),
        }
    }

    fn settle(&mut self, Stored { batch, answer }: Stored) {
        match answer {
            Ok(Some(true)) => {
                for trim in batch.trims {
                    self.streams[index(trim.stream)].trimmed(trim);
                }
            }
            Ok(Some(false)) => self.lost.cancel(),
            Ok(None) => {}
            Err(error) => {
                // The command is not to fail for it; its log says that something is missing.
                let error = &error as &dyn std::error::Error;
                tracing::error!(job.id = %self.lease.job, error, "output could not be stored");
                for chunk in &batch.chunks {
                    self.streams[index(chunk.stream)].lose();
                }
            }
        }
    }
}

/// One call of the store.
struct Batch {
    parts: Arc<Parts>,
    lease: LeaseRef,
    lost: CancellationToken,
    chunks: Vec<LogChunk>,
    trims: Vec<Trim>,
    /// To be announced when this is stored: later output is looked for by those who have seen the
    /// first.
    begins: Option<Wakeup>,
}

/// What became of it.
struct Stored {
    batch: Batch,
    /// Whether the lease still held; `None` when it was given up before there was an answer.
    answer: Result<Option<bool>>,
}

impl Batch {
    async fn store(self) -> Stored {
        let append = || self.parts.store.append_log(self.lease, &self.chunks, &self.trims);
        let answer = until_available(&self.lost, append).await;
        if let (Ok(Some(true)), Some(begins)) = (&answer, &self.begins) {
            self.parts.queue.announce(begins.clone()).await;
        }
        Stored { batch: self, answer }
    }
}

const fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}
