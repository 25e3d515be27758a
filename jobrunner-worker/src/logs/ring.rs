use std::{collections::VecDeque, sync::Arc};

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much memory the rings of one worker may take, all together.
const MEMORY_KIB: usize = 32 * 1024;

/// The memory for rings that the attempts of a worker share. An attempt that gets none has the
/// command wait for the store instead.
#[derive(Clone)]
pub(crate) struct RingMemory(Arc<Semaphore>);

impl Default for RingMemory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MEMORY_KIB)))
    }
}

impl RingMemory {
    /// Takes the memory for a ring of `bytes`, if there is as much.
    pub(super) fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).ok()?;
        Arc::clone(&self.0).try_acquire_many_owned(kib).ok()
    }
}

/// Bytes that came and are not stored yet, in pieces of about one chunk. Those that came first are
/// forgotten when they are too many.
pub(super) struct Ring {
    pieces: VecDeque<BytesMut>,
    piece: usize,
    length: usize,
}

impl Ring {
    /// An empty ring of pieces of so many bytes.
    pub(super) const fn of_pieces(piece: usize) -> Self {
        Self { pieces: VecDeque::new(), piece, length: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len();
        while !bytes.is_empty() {
            let room = self.pieces.back().map_or(0, |last| self.piece.saturating_sub(last.len()));
            if room == 0 {
                self.pieces.push_back(BytesMut::new());
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if let Some(last) = self.pieces.back_mut() {
                last.extend_from_slice(now);
            }
            bytes = later;
        }
    }

    /// How many bytes of the oldest piece there are.
    pub(super) fn oldest(&self) -> usize {
        self.pieces.front().map_or(0, BytesMut::len)
    }

    /// Takes the oldest bytes, `most` at the most, all of one piece.
    pub(super) fn take(&mut self, most: usize) -> Bytes {
        let Some(oldest) = self.pieces.front_mut() else { return Bytes::new() };
        let taken = oldest.split_to(most.min(oldest.len()));
        if oldest.is_empty() {
            self.pieces.pop_front();
        }
        self.length -= taken.len();
        taken.freeze()
    }

    /// Forgets the oldest pieces that leave at least `least` bytes. Returns how many bytes they
    /// had.
    pub(super) fn forget(&mut self, least: u64) -> u64 {
        let before = self.length;
        while (self.length - self.oldest()) as u64 >= least
            && let Some(oldest) = self.pieces.pop_front()
        {
            self.length -= oldest.len();
        }
        (before - self.length) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came() {
        let mut ring = Ring::of_pieces(4);
        for part in [&b"abc"[..], b"", b"defghij", b"k"] {
            ring.push(part);
        }
        let mut all = Vec::new();
        while ring.len() > 0 {
            let taken = ring.take(3);
            assert!((1..=3).contains(&taken.len()));
            all.extend_from_slice(&taken);
        }
        assert_eq!(all, b"abcdefghijk");
    }

    #[test]
    fn the_oldest_are_forgotten_and_as_many_as_are_wanted_stay() {
        let mut ring = Ring::of_pieces(4);
        ring.push(b"abcdefghij");
        assert_eq!((ring.forget(11), ring.forget(5)), (0, 4));
        assert_eq!((ring.len(), ring.oldest()), (6, 4));
        assert_eq!(&ring.take(100)[..], b"efgh");
        assert_eq!((ring.forget(0), ring.len()), (2, 0), "the last ones, too");
    }

    #[test]
    fn memory_that_is_taken_comes_back() {
        let memory = RingMemory::default();
        let half = (MEMORY_KIB * 1024 / 2) as u64;
        let taken = (memory.take(half), memory.take(half));
        assert!(taken.0.is_some() && taken.1.is_some() && memory.take(1).is_none());
        drop(taken);
        assert!(memory.take(2 * half).is_some() && memory.take(u64::MAX).is_none());
    }
}
