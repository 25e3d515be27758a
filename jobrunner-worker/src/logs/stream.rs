use bytes::BytesMut;
use jobrunner_core::log::{LogChunk, Stream, Trim};
use tokio::time::{Duration, Instant};

use super::kept::Kept;

/// How long the first bytes of a stream are gathered.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// How long later bytes are gathered.
const DELAY: Duration = Duration::from_millis(250);

/// One stream of an attempt: what is gathered and not stored yet, and how much came before.
pub(super) struct StreamLog {
    stream: Stream,
    /// How much was cut into chunks so far.
    cut_to: u64,
    pending: BytesMut,
    due: Option<Instant>,
    kept: Kept,
    lost: bool,
    /// The end of what came, for its last line.
    end: Vec<u8>,
}

/// How much of the end of a stream its last line is looked for in.
const END: usize = 2048;

impl StreamLog {
    /// A stream of which about `cap` bytes are kept.
    pub(super) fn new(stream: Stream, cap: u64) -> Self {
        Self {
            stream,
            cut_to: 0,
            pending: BytesMut::new(),
            due: None,
            kept: Kept::new(cap),
            lost: false,
            end: Vec::new(),
        }
    }

    /// Takes what the command wrote next.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let delay = if self.cut_to == 0 { FIRST_DELAY } else { DELAY };
        self.due.get_or_insert_with(|| Instant::now() + delay);
        self.pending.extend_from_slice(bytes);
        let end = &bytes[bytes.len().saturating_sub(END)..];
        let too_many = (self.end.len() + end.len()).saturating_sub(END);
        self.end.drain(..too_many);
        self.end.extend_from_slice(end);
    }

    /// The end of what the command wrote.
    pub(super) fn end(&self) -> &[u8] {
        &self.end
    }

    /// When what is gathered should be stored; `None` if there is nothing.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// How many bytes are gathered.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many bytes the command wrote.
    pub(super) fn written(&self) -> u64 {
        self.cut_to + self.pending.len() as u64
    }

    /// Cuts everything that is gathered into chunks, which are to be stored next.
    pub(super) fn cut(&mut self) -> Vec<LogChunk> {
        let mut chunks = Vec::new();
        while !self.pending.is_empty() {
            let length = self.kept.next_chunk(self.cut_to, self.pending.len());
            let bytes = self.pending.split_to(length).freeze();
            chunks.push(LogChunk { stream: self.stream, offset: self.cut_to, bytes });
            self.cut_to += length as u64;
            self.kept.chunk_ends(self.cut_to);
        }
        self.due = None;
        chunks
    }

    /// Which stored chunks are to be forgotten by now.
    pub(super) fn trim(&self) -> Option<Trim> {
        let (from, to) = self.kept.excess(self.cut_to)?;
        Some(Trim { stream: self.stream, from, to })
    }

    /// The trimmed chunks are forgotten.
    pub(super) fn trimmed(&mut self, trim: Trim) {
        self.kept.forget(trim.to);
    }

    /// Whether the stream is longer than what is kept of it.
    pub(super) fn outgrown(&self) -> bool {
        self.kept.excess(self.written()).is_some()
    }

    /// Some of it could not be stored.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    /// Whether some of it is not stored.
    pub(super) fn truncated(&self) -> bool {
        self.lost || self.kept.has_gap()
    }
}
