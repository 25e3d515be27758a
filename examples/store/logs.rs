//! Output, stream by stream.

use std::collections::BTreeMap;

use jobrunner_core::{
    log::{LogChunk, Trim},
    store::engine::output::StreamRow,
};

/// What is stored of one stream of one attempt.
#[derive(Default)]
pub(crate) struct Log {
    /// By where they begin.
    chunks: BTreeMap<u64, LogChunk>,
    /// Where the first part ends, if something behind it was forgotten.
    head_end: Option<u64>,
}

impl Log {
    /// Stores a chunk unless it is stored already.
    pub(crate) fn append(&mut self, chunk: &LogChunk) {
        self.chunks.entry(chunk.offset).or_insert_with(|| chunk.clone());
    }

    /// Forgets a part in the middle.
    pub(crate) fn trim(&mut self, part: &Trim) {
        self.chunks.retain(|start, chunk| *start < part.from || chunk.end() > part.to);
        self.head_end.get_or_insert(part.from);
    }

    /// Where the stored parts begin and end.
    pub(crate) fn row(&self) -> StreamRow {
        let stored = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        let tail = self.head_end.and_then(|end| self.chunks.range(end..).next());
        (self.head_end.map(stored), tail.map(|(start, _)| stored(*start)), self.end().map(stored))
    }

    fn end(&self) -> Option<u64> {
        self.chunks.values().next_back().map(LogChunk::end)
    }

    /// How far it is stored, as the engine takes it.
    pub(crate) fn stored_end(&self) -> Option<i64> {
        self.row().2
    }

    /// Chunks that end after `from`, as many as fit, at least one if there is any.
    pub(crate) fn read(&self, from: u64, max_bytes: usize) -> Vec<LogChunk> {
        let mut chunks = Vec::new();
        let mut size = 0;
        for chunk in self.chunks.values().filter(|chunk| chunk.end() > from) {
            if !chunks.is_empty() && size + chunk.bytes.len() > max_bytes {
                break;
            }
            size += chunk.bytes.len();
            chunks.push(chunk.clone());
        }
        chunks
    }
}
