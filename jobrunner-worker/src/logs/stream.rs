use bytes::BytesMut;
use jobrunner_core::{
    error_line::END,
    log::{LogChunk, Mark, Stream, Trim},
};
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
    /// Where the other stream was when parts of it came.
    marks: Vec<Mark>,
    /// The last of them, when it was cut off.
    last_mark: Option<Mark>,
    due: Option<Instant>,
    kept: Kept,
    lost: bool,
    /// The end of what came, for its last line.
    end: Vec<u8>,
}

/// How many marks are kept of what is gathered; what comes behind the last of them counts as one part.
const MARKS: usize = 256;

impl StreamLog {
    /// A stream of which about `cap` bytes are kept.
    pub(super) fn new(stream: Stream, cap: u64) -> Self {
        Self {
            stream,
            cut_to: 0,
            pending: BytesMut::new(),
            marks: Vec::new(),
            last_mark: None,
            due: None,
            kept: Kept::new(cap),
            lost: false,
            end: Vec::new(),
        }
    }

    /// Takes what the command wrote next; it had written `other` bytes to the other stream before.
    pub(super) fn push(&mut self, bytes: &[u8], other: u64) {
        let is_known =
            self.marks.last().or(self.last_mark.as_ref()).is_some_and(|it| it.other == other);
        if !is_known && self.marks.len() < MARKS {
            self.marks.push(Mark { offset: self.written(), other });
        }
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
            let (stream, offset) = (self.stream, self.cut_to);
            self.cut_to += length as u64;
            let passed = self.marks.partition_point(|mark| mark.offset < self.cut_to);
            let mut marks: Vec<Mark> = self.marks.drain(..passed).collect();
            // Each chunk can be read by itself.
            if let Some(before) =
                self.last_mark.filter(|_| marks.first().is_none_or(|it| it.offset > offset))
            {
                marks.insert(0, before);
            }
            self.last_mark = marks.last().copied();
            chunks.push(LogChunk { stream, offset, bytes, marks });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(chunk: &LogChunk) -> Vec<(u64, u64)> {
        chunk.marks.iter().map(|mark| (mark.offset, mark.other)).collect()
    }

    #[test]
    fn a_chunk_tells_where_the_other_stream_was() {
        let mut log = StreamLog::new(Stream::Stdout, 1 << 20);
        log.push(b"ab", 0);
        log.push(b"cd", 0);
        log.push(b"ef", 7);
        let chunks = log.cut();
        assert_eq!((chunks.len(), marks(&chunks[0])), (1, vec![(0, 0), (4, 7)]));
        // Nothing came between, and each chunk can be read by itself all the same.
        log.push(b"gh", 7);
        log.push(b"i", 9);
        let chunks = log.cut();
        assert_eq!(marks(&chunks[0]), [(4, 7), (8, 9)]);
    }

    #[test]
    fn p10_what_is_remembered_of_the_order_is_bounded() {
        let mut log = StreamLog::new(Stream::Stdout, 1 << 20);
        for other in 0..100_000 {
            log.push(b"x", other);
        }
        let chunks = log.cut();
        assert!(
            chunks.iter().map(|chunk| chunk.marks.len()).sum::<usize>() <= MARKS + chunks.len()
        );
        log.push(b"x", 100_000);
        assert_eq!(marks(&log.cut()[0]), [(100_000, 100_000)]);
    }
}
