use std::{ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};

use super::Service;
use crate::{
    JobId, Result, Store,
    authz::Principal,
    log::{LogInfo, LogKey, Stream, StreamInfo},
};

/// How much of a stream is read from the store at a time.
const READ_BYTES: usize = 256 * 1024;

/// A job's output, read at one moment.
#[derive(Clone, Debug)]
pub struct JobLogs {
    /// Which attempt it is of, how long it is, whether it is complete.
    pub info: LogInfo,
    /// Descriptor 1, a gap shown by its marker.
    pub stdout: Bytes,
    /// Descriptor 2, a gap shown by its marker.
    pub stderr: Bytes,
}

impl Service {
    /// The output of a job's last attempt; works while it runs too. With `tail_bytes`, only so many
    /// bytes from the end of each stream.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn logs(
        &self,
        caller: &Principal,
        id: JobId,
        tail_bytes: Option<u64>,
    ) -> Result<JobLogs> {
        let [stdout, stderr] = self.log_readers(caller, id).await?;
        Ok(JobLogs {
            info: stdout.info,
            stdout: stdout.read_tail(tail_bytes).await?,
            stderr: stderr.read_tail(tail_bytes).await?,
        })
    }

    /// Reads both streams of a job's last attempt in parts: standard output and error output.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn log_readers(&self, caller: &Principal, id: JobId) -> Result<[LogReader; 2]> {
        let stdout = self.log_reader(caller, id, None, Stream::Stdout).await?;
        let stderr = stdout.sibling(Stream::Stderr);
        Ok([stdout, stderr])
    }

    /// Reads one stream of an attempt (`None`: the last) in parts.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn log_reader(
        &self,
        caller: &Principal,
        id: JobId,
        attempt: Option<u32>,
        stream: Stream,
    ) -> Result<LogReader> {
        let job = self.job(caller, id).await?;
        let info = self.parts.store.log_info(job.id, attempt).await?;
        Ok(LogReader {
            store: Arc::clone(&self.parts.store),
            key: LogKey { job: job.id, attempt: info.attempt },
            info,
            stream,
        })
    }
}

/// One stream of one attempt as one text: head, gap marker, tail. Positions count the bytes of this
/// text, as it was when the reader was made.
pub struct LogReader {
    store: Arc<dyn Store>,
    key: LogKey,
    info: LogInfo,
    stream: Stream,
}

impl LogReader {
    /// What is known of the attempt's output.
    #[must_use]
    pub const fn info(&self) -> LogInfo {
        self.info
    }

    /// The length of the text in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.stream_info().shown_len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Part of the text; shorter than asked for where the text ends, or where a tail that is still
    /// being written has moved on. At most 256 KiB at a time; empty only at the end.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let info = self.stream_info();
        let marker = info.gap_marker();
        let marker_end = info.head_end + marker.len() as u64;
        let end = range.end.min(self.len());
        if range.start >= end {
            return Ok(Bytes::new());
        }
        if range.start < info.head_end {
            return self.read_stored(range.start..end.min(info.head_end)).await;
        }
        if range.start < marker_end {
            let from = offset(range.start - info.head_end);
            let to = offset(end.min(marker_end) - info.head_end);
            return Ok(Bytes::copy_from_slice(&marker.as_bytes()[from..to]));
        }
        let shift = |position: u64| position - marker_end + info.tail_start;
        self.read_stored(shift(range.start)..shift(end)).await
    }

    async fn read_stored(&self, range: Range<u64>) -> Result<Bytes> {
        let want = READ_BYTES.min(offset(range.end - range.start));
        let chunks = self.store.read_log(self.key, self.stream, range.start, want).await?;
        let mut text = BytesMut::new();
        let mut position = range.start;
        for chunk in chunks {
            // A tail that is being written may have lost this part since.
            if chunk.offset > position && position != range.start {
                break;
            }
            let from = offset(position.saturating_sub(chunk.offset));
            let to = chunk.bytes.len().min(offset(range.end.saturating_sub(chunk.offset)));
            if from < to {
                text.extend_from_slice(&chunk.bytes[from..to]);
            }
            position = chunk.end();
        }
        Ok(text.freeze())
    }

    /// The last `tail_bytes` of the text, or all of it.
    #[must_use]
    pub fn tail(&self, tail_bytes: Option<u64>) -> Range<u64> {
        let end = self.len();
        end.saturating_sub(tail_bytes.unwrap_or(end))..end
    }

    async fn read_tail(&self, tail_bytes: Option<u64>) -> Result<Bytes> {
        let Range { start: mut position, end } = self.tail(tail_bytes);
        let mut text = BytesMut::new();
        while position < end {
            let part = self.read(position..end).await?;
            if part.is_empty() {
                break;
            }
            position += part.len() as u64;
            text.extend_from_slice(&part);
        }
        Ok(text.freeze())
    }

    fn sibling(&self, stream: Stream) -> Self {
        Self { store: Arc::clone(&self.store), key: self.key, info: self.info, stream }
    }

    const fn stream_info(&self) -> StreamInfo {
        self.info.stream(self.stream)
    }
}

/// A distance within one part of a stream, which fits into memory.
fn offset(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
