use std::collections::VecDeque;

use super::CHUNK;

/// The largest head that is kept of a stream that outgrows its cap.
const HEAD: u64 = 1024 * 1024;

/// Chunks of a stream with a small cap are smaller, so that its tail is not one or two chunks.
const SMALLEST_CHUNK: u64 = 1024;

/// Which part of a stream stays in the store: all of it up to its cap, then its head and its tail.
///
/// What comes is stored first, unless it comes faster than that, and the middle is forgotten as the
/// tail moves on; so what is stored is never much more than the cap, and is head and tail at any
/// moment, also after a crash.
pub(super) struct Kept {
    head: u64,
    tail: u64,
    chunk: u64,
    /// Where stored chunks end behind the head, at intervals of about one chunk. Trims end here, so
    /// that it is known what they leave.
    ends: VecDeque<u64>,
    /// Where the last trim ended.
    forgotten_to: u64,
    /// Where the last part ended that is not stored at all; 0 if there is none.
    left_out_to: u64,
}

impl Kept {
    /// Keeps about `cap` bytes.
    pub(super) fn new(cap: u64) -> Self {
        let head = HEAD.min(cap / 2);
        let tail = cap - head;
        let chunk = (tail / 8).clamp(SMALLEST_CHUNK, CHUNK as u64);
        Self { head, tail, chunk, ends: VecDeque::new(), forgotten_to: head, left_out_to: 0 }
    }

    /// How many bytes of the beginning are kept.
    pub(super) const fn head(&self) -> u64 {
        self.head
    }

    /// How many bytes of the end are kept of a stream that outgrows the cap.
    pub(super) const fn tail(&self) -> u64 {
        self.tail
    }

    /// How large the chunks are, at most.
    pub(super) fn chunk(&self) -> usize {
        usize::try_from(self.chunk).unwrap_or(CHUNK)
    }

    /// The length of the chunk that starts at `offset`, of `available` bytes at least one.
    pub(super) fn next_chunk(&self, offset: u64, available: usize) -> usize {
        let mut most = self.chunk;
        if offset < self.head {
            // No chunk lies across the end of the head.
            most = most.min(self.head - offset);
        }
        usize::try_from(most).unwrap_or(CHUNK).min(available)
    }

    /// A chunk ends at `end`.
    pub(super) fn chunk_ends(&mut self, end: u64) {
        let last = self.ends.back().copied().unwrap_or(self.forgotten_to);
        if end >= last + self.chunk {
            self.ends.push_back(end);
        }
    }

    /// What comes before `to` and was not cut yet is not stored at all: what is stored between the
    /// head and there is not of the tail any more.
    pub(super) fn leave_out(&mut self, to: u64) {
        self.ends.clear();
        self.left_out_to = to;
    }

    /// The stored bytes that are too many when `written` bytes were written: from where to where.
    pub(super) fn excess(&self, written: u64) -> Option<(u64, u64)> {
        let tail_starts = written.saturating_sub(self.tail);
        let before_tail = self.ends.iter().copied().take_while(|end| *end <= tail_starts).last();
        let left_out = Some(self.left_out_to).filter(|to| *to > self.forgotten_to);
        Some((self.head, before_tail.max(left_out)?))
    }

    /// The store forgot what lies between the head and `to`.
    pub(super) fn forget(&mut self, to: u64) {
        while self.ends.front().is_some_and(|end| *end <= to) {
            self.ends.pop_front();
        }
        self.forgotten_to = to;
    }

    /// Whether anything was forgotten, or not stored at all.
    pub(super) const fn has_gap(&self) -> bool {
        self.left_out_to > self.head || self.forgotten_to > self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `total` bytes in pieces and answers what is left stored: the end of the head and the
    /// start of the tail, with the most that was ever stored.
    fn write(cap: u64, total: u64, piece: usize) -> (u64, u64, u64) {
        let mut kept = Kept::new(cap);
        let (mut written, mut most) = (0, 0);
        let (mut head_end, mut tail_start) = (0, 0);
        while written < total {
            let length = kept.next_chunk(written, piece) as u64;
            assert!(written >= kept.head || written + length <= kept.head, "across the head's end");
            written += length;
            kept.chunk_ends(written);
            most = most.max(written - (tail_start - head_end));
            if let Some((from, to)) = kept.excess(written) {
                (head_end, tail_start) = (from, to);
                kept.forget(to);
            }
        }
        assert_eq!(kept.has_gap(), tail_start > head_end);
        (head_end, tail_start, most)
    }

    #[test]
    fn a_stream_within_its_cap_is_kept_whole() {
        for total in [0, 1, 999_999, 1_000_000] {
            assert_eq!(write(1_000_000, total, 4096).1, 0, "{total}");
        }
    }

    #[test]
    fn p8_of_a_longer_stream_head_and_tail_are_kept() {
        for (cap, total, piece) in [
            (16 << 20, 200 << 20, 65_536),
            (16 << 20, 50_000_000, 777),
            (100_000, 1_000_000, 65_536),
            (1_000, 1_000_000, 10),
            (1, 100_000, 65_536),
        ] {
            let (head_end, tail_start, most) = write(cap, total, piece);
            assert_eq!(head_end, (1 << 20).min(cap / 2), "{cap} {total}");
            let tail = total - tail_start;
            assert!(tail >= cap - head_end, "{cap} {total}: a tail of {tail}");
            assert!(most <= cap + 2 * CHUNK as u64, "{cap} {total}: {most} were stored");
        }
    }

    #[test]
    fn p10_what_is_remembered_does_not_grow_with_the_stream() {
        let mut kept = Kept::new(1 << 20);
        for end in 1..5_000_000 {
            kept.chunk_ends(end);
            if let Some((_, to)) = kept.excess(end) {
                kept.forget(to);
            }
            assert!(kept.ends.len() < 32);
        }
    }
}
