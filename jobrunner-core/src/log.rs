//! A command's output, as bytes.

mod order;

use bytes::Bytes;

pub use order::Mark;
pub(crate) use order::{Content, merge, pieces};

use crate::{JobId, Status, words::words};

words! {
    /// One of the two streams a command writes.
    Stream {
        /// Descriptor 1.
        Stdout = "stdout",
        /// Descriptor 2.
        Stderr = "stderr",
    }
}

/// A piece of a stream, byte-exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogChunk {
    /// Which stream.
    pub stream: Stream,
    /// How many bytes the command had written to the stream before this piece. A chunk whose offset
    /// is larger than the end of the one before follows a gap: the bytes between were not kept.
    pub offset: u64,
    /// The bytes.
    pub bytes: Bytes,
    /// Where the other stream was when its parts were read, in the order of their offsets, the
    /// first at the chunk's own or before it. Empty if that is not known.
    pub marks: Vec<Mark>,
}

impl LogChunk {
    /// The offset just after the piece.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

/// Forgets part of a stream: all stored chunks that start at `from` or later and end at `to` or
/// earlier. How a stream that outgrows its cap keeps its head and its tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// Which stream.
    pub stream: Stream,
    /// Where the kept head ends.
    pub from: u64,
    /// Where the kept tail may start.
    pub to: u64,
}

/// Which output: of which start of which job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogKey {
    /// Which job.
    pub job: JobId,
    /// Which attempt, 1 for the first.
    pub attempt: u32,
}

/// What is known of an attempt's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogInfo {
    /// Which attempt; 0 when none was started.
    pub attempt: u32,
    /// Where the attempt stands.
    pub status: Status,
    /// What is known of descriptor 1.
    pub stdout: StreamInfo,
    /// What is known of descriptor 2.
    pub stderr: StreamInfo,
    /// Whether part of the output was left out of storage.
    pub truncated: bool,
}

impl LogInfo {
    /// What is known of one stream.
    #[must_use]
    pub const fn stream(&self, stream: Stream) -> StreamInfo {
        match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        }
    }

    /// Whether nothing will be added any more.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.status.is_terminal()
    }
}

/// What is known of one stream: its bytes `0..head_end` and `tail_start..written` are stored.
/// Without a gap the head is the whole stream, and `tail_start` and `head_end` equal `written`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamInfo {
    /// Bytes written by the command so far, stored or not.
    pub written: u64,
    /// Where the stored head ends.
    pub head_end: u64,
    /// Where the stored tail starts.
    pub tail_start: u64,
}

impl StreamInfo {
    /// A stream of which everything is stored.
    #[must_use]
    pub const fn whole(written: u64) -> Self {
        Self { written, head_end: written, tail_start: written }
    }

    /// How many bytes are missing between head and tail.
    #[must_use]
    pub const fn omitted(&self) -> u64 {
        self.tail_start - self.head_end
    }

    /// The line that stands for the missing bytes when a stream is shown or downloaded as one text;
    /// empty when nothing is missing.
    #[must_use]
    pub fn gap_marker(&self) -> String {
        gap_marker(self.omitted())
    }

    /// The length of the stream as one text: head, marker, tail.
    #[must_use]
    pub fn shown_len(&self) -> u64 {
        self.head_end + self.gap_marker().len() as u64 + (self.written - self.tail_start)
    }
}

/// The line that stands for so many bytes that were not kept; empty for none.
#[must_use]
pub fn gap_marker(omitted: u64) -> String {
    match omitted {
        0 => String::new(),
        bytes => format!("\n[jobrunner: {bytes} bytes omitted]\n"),
    }
}
