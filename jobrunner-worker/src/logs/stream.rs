use jobrunner_core::{
    error_line::END,
    log::{LogChunk, Mark, Stream, Trim},
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Duration, Instant},
};

use super::{
    AT_ONCE, BATCH,
    kept::Kept,
    ring::{Ring, RingMemory},
};

/// How long the first bytes of a stream are gathered.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// How long later bytes are gathered.
const DELAY: Duration = Duration::from_millis(250);

/// How long the bytes of a stream are gathered that comes faster than it can be stored.
const FLOOD_DELAY: Duration = Duration::from_secs(2);

/// One stream of an attempt: what is gathered and not stored yet, and how much came before.
///
/// A stream that comes faster than it can be stored is a flood: its end is gathered in a ring as
/// large as the tail that is kept of it, and is stored now and then. So what falls out of the tail
/// in between is never stored, and the command does not wait for the store.
pub(super) struct StreamLog {
    stream: Stream,
    /// How much was cut into chunks so far, or forgotten.
    cut_to: u64,
    /// How far it is to be cut before anything else is gathered.
    goal: u64,
    pending: Ring,
    /// Where the other stream was when parts of it came.
    marks: Vec<Mark>,
    /// The last of them, when it was cut off.
    last_mark: Option<Mark>,
    /// Since when what is gathered waits to be stored.
    since: Option<Instant>,
    /// The memory of its ring while it is a flood.
    flood: Option<OwnedSemaphorePermit>,
    kept: Kept,
    lost: bool,
    /// The end of what came, for its last line.
    end: Vec<u8>,
}

/// How many marks are kept of what is gathered; what comes behind the last of them counts as one
/// part.
const MARKS: usize = 256;

impl StreamLog {
    /// A stream of which about `cap` bytes are kept.
    pub(super) fn new(stream: Stream, cap: u64) -> Self {
        let kept = Kept::new(cap);
        Self {
            stream,
            cut_to: 0,
            goal: 0,
            pending: Ring::of_pieces(kept.chunk()),
            marks: Vec::new(),
            last_mark: None,
            since: None,
            flood: None,
            kept,
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
        self.since.get_or_insert_with(Instant::now);
        self.pending.push(bytes);
        let end = &bytes[bytes.len().saturating_sub(END)..];
        let too_many = (self.end.len() + end.len()).saturating_sub(END);
        self.end.drain(..too_many);
        self.end.extend_from_slice(end);
        self.forget();
    }

    /// Forgets what is gathered and will not be part of the tail.
    fn forget(&mut self) {
        if self.cut_to < self.kept.head() {
            return;
        }
        let forgotten = self.pending.forget(self.kept.tail());
        if forgotten > 0 {
            self.last_mark = self.pass(forgotten).pop().or(self.last_mark);
            self.kept.leave_out(self.cut_to);
        }
    }

    /// The next bytes leave what is gathered. Returns the marks that they had.
    fn pass(&mut self, bytes: u64) -> Vec<Mark> {
        let had_goal = self.cut_to < self.goal;
        self.cut_to += bytes;
        if had_goal && self.cut_to >= self.goal {
            self.since = Some(Instant::now());
        }
        let passed = self.marks.partition_point(|mark| mark.offset < self.cut_to);
        self.marks.drain(..passed).collect()
    }

    /// Makes the stream a flood if as much is gathered as may be, its head is stored, and there is
    /// memory.
    pub(super) fn flood(&mut self, memory: &RingMemory) {
        let is_fast = self.pending.len() >= BATCH && self.cut_to >= self.kept.head();
        if is_fast && self.flood.is_none() {
            self.flood = memory.take(self.kept.tail());
        }
    }

    /// The end of what the command wrote.
    pub(super) fn end(&self) -> &[u8] {
        &self.end
    }

    /// When what is gathered should be stored; `None` if there is nothing.
    pub(super) fn due(&self) -> Option<Instant> {
        let delay = match self.flood {
            _ if self.cut_to < self.goal => Duration::ZERO,
            Some(_) => FLOOD_DELAY,
            None if self.cut_to == 0 => FIRST_DELAY,
            None => DELAY,
        };
        Some(self.since? + delay)
    }

    /// How many bytes are gathered that the command may have to wait for.
    pub(super) const fn waiting(&self) -> usize {
        if self.flood.is_some() { 0 } else { self.pending.len() }
    }

    /// How many bytes are gathered.
    pub(super) const fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many bytes the command wrote.
    pub(super) const fn written(&self) -> u64 {
        self.cut_to + self.pending.len() as u64
    }

    /// Cuts what is gathered into chunks, which are to be stored next: everything, unless that is
    /// more than can be stored at once.
    pub(super) fn cut(&mut self) -> Vec<LogChunk> {
        if self.goal <= self.cut_to {
            self.goal = self.written();
        }
        let mut chunks = Vec::new();
        let mut left = AT_ONCE;
        while left > 0 && self.pending.len() > 0 {
            let most = self.kept.next_chunk(self.cut_to, left.min(self.pending.oldest()));
            let bytes = self.pending.take(most);
            left -= bytes.len();
            let (stream, offset) = (self.stream, self.cut_to);
            let mut marks = self.pass(bytes.len() as u64);
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
        if self.pending.len() < BATCH {
            self.flood = None;
        }
        if self.pending.len() == 0 {
            self.since = None;
        }
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
        self.written() > self.kept.head() + self.kept.tail()
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
    use std::collections::BTreeMap;

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

    /// What a store keeps of a stream.
    #[derive(Default)]
    struct Stored {
        chunks: BTreeMap<u64, Vec<u8>>,
        /// How many bytes were ever stored.
        taken: u64,
    }

    impl Stored {
        /// One call of the store.
        fn call(&mut self, log: &mut StreamLog) {
            for chunk in log.cut() {
                self.taken += chunk.bytes.len() as u64;
                let before = self.chunks.insert(chunk.offset, chunk.bytes.to_vec());
                assert_eq!(before, None, "stored twice");
            }
            if let Some(trim) = log.trim() {
                let is_trimmed = |start: u64, bytes: &[u8]| {
                    start >= trim.from && start + bytes.len() as u64 <= trim.to
                };
                self.chunks.retain(|start, bytes| !is_trimmed(*start, bytes));
                log.trimmed(trim);
            }
        }

        /// Where the parts without a gap start and end.
        fn parts(&self) -> Vec<(u64, u64)> {
            let mut parts: Vec<(u64, u64)> = Vec::new();
            for (start, bytes) in &self.chunks {
                let end = start + bytes.len() as u64;
                match parts.last_mut() {
                    Some(last) if last.1 == *start => last.1 = end,
                    _ => parts.push((*start, end)),
                }
            }
            parts
        }
    }

    /// Writes a stream of bytes that are their offsets, with a call of the store now and then.
    fn write(cap: u64, pieces: impl Iterator<Item = (usize, bool)>) -> (Stored, StreamLog) {
        let memory = RingMemory::default();
        let (mut log, mut stored) = (StreamLog::new(Stream::Stdout, cap), Stored::default());
        for (length, is_call) in pieces {
            let from = log.written();
            let bytes: Vec<u8> = (from..from + length as u64).map(byte).collect();
            log.push(&bytes, 0);
            log.flood(&memory);
            if is_call {
                stored.call(&mut log);
                assert!(stored.parts().len() <= 2, "{:?}", stored.parts());
            }
        }
        while log.pending() > 0 {
            stored.call(&mut log);
        }
        (stored, log)
    }

    fn byte(offset: u64) -> u8 {
        (offset * 7 % 251) as u8
    }

    #[test]
    fn p8_of_a_flood_head_and_tail_are_kept_and_little_else_is_stored() {
        const CAP: u64 = 4 << 20;
        // The head is stored as it comes; then the store is called once for every 20 MB.
        let flood = (0..4_000).map(|piece| (50_001, piece < 100 || piece % 400 == 0));
        let (stored, log) = write(CAP, flood);
        let head = CAP.min(2 << 20) / 2;
        let written = 4_000 * 50_001;
        assert_eq!(log.written(), written);
        let parts = stored.parts();
        assert_eq!((parts.len(), parts[0]), (2, (0, head)), "{parts:?}");
        assert_eq!(parts[1].1, written);
        assert!(parts[1].0 <= written - (CAP - head), "{parts:?}");
        assert!(written - parts[1].0 <= CAP + 2 * AT_ONCE as u64, "{parts:?}");
        for (start, bytes) in &stored.chunks {
            assert!((*start..).zip(bytes).all(|(offset, stored)| *stored == byte(offset)));
        }
        assert!(log.truncated());
        assert!(stored.taken < written / 8, "{} of {written} were stored", stored.taken);
    }

    #[test]
    fn p8_a_fast_stream_within_its_cap_is_kept_whole() {
        for calls in [1, 7, 1_000] {
            let pieces = (1..=1_000).map(|piece| (4_000, piece % calls == 0));
            let (stored, log) = write(4 << 20, pieces);
            assert_eq!(stored.parts(), [(0, 4_000_000)], "a call for every {calls} pieces");
            assert!(!log.truncated());
        }
    }

    #[test]
    fn a_flood_is_stored_now_and_then_and_at_once_when_it_ends() {
        let memory = RingMemory::default();
        let mut log = StreamLog::new(Stream::Stdout, 4 << 20);
        let push = |log: &mut StreamLog, bytes: usize| {
            log.push(&vec![b'x'; bytes], 0);
            log.flood(&memory);
        };
        let due_in = |log: &StreamLog| log.due().expect("due") - log.since.expect("gathered");
        push(&mut log, 2 * BATCH);
        assert_eq!((due_in(&log), log.waiting()), (FIRST_DELAY, 2 * BATCH), "the head comes first");
        while log.written() < 4 << 20 {
            push(&mut log, BATCH);
            log.cut();
        }
        push(&mut log, 8 * BATCH);
        assert_eq!((due_in(&log), log.waiting()), (FLOOD_DELAY, 0));
        log.cut();
        assert_eq!(due_in(&log), Duration::ZERO, "the rest of what had come by then");
        log.cut();
        assert_eq!((log.pending(), log.due()), (0, None));
        push(&mut log, 1);
        assert_eq!((due_in(&log), log.waiting()), (DELAY, 1), "it is a flood no more");
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
