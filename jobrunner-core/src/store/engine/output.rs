//! What the rows about output mean, whatever database they come from.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};

use super::values::{number, parse, render};
use crate::{
    Error, Result, Status,
    job::Attempt,
    log::{self, LogChunk, LogInfo, Mark, StreamInfo},
};

/// Where a stream's head ends if there is a gap, where its tail starts, where what is stored ends.
pub type StreamRow = (Option<i64>, Option<i64>, Option<i64>);

/// Where a chunk starts, its bytes, its marks.
pub type ChunkRow = (i64, Vec<u8>, Option<String>);

/// Marks as they are stored: `[[0,0],[120,30]]`, each an offset and how far the other stream was.
///
/// # Errors
/// They cannot be written.
pub fn written_marks(chunk: &LogChunk) -> Result<Option<String>> {
    let pairs: Vec<_> = chunk.marks.iter().map(|mark| (mark.offset, mark.other)).collect();
    (!pairs.is_empty()).then(|| render(&pairs)).transpose()
}

fn read_marks(text: &str) -> Result<Vec<Mark>> {
    let pairs: Vec<(u64, u64)> = parse(text)?;
    Ok(pairs.into_iter().map(|(offset, other)| Mark { offset, other }).collect())
}

/// The attempt that is asked for, `None` being the last one there is.
///
/// # Errors
/// [`NotFound`](Error::NotFound).
pub fn chosen(mut attempts: Vec<Attempt>, wanted: Option<u32>) -> Result<Option<Attempt>> {
    match wanted {
        None => Ok(attempts.pop()),
        Some(number) => {
            let found = attempts.into_iter().find(|attempt| attempt.attempt == number);
            found.map(Some).ok_or(Error::NotFound("attempt"))
        }
    }
}

/// The output of a job none of whose attempts was started.
#[must_use]
pub fn nothing(status: Status) -> LogInfo {
    let stream = StreamInfo::default();
    LogInfo { attempt: 0, status, stdout: stream, stderr: stream, truncated: false }
}

/// The output of an attempt.
///
/// # Errors
/// A row cannot be read.
pub fn of_attempt(attempt: &Attempt, stdout: StreamRow, stderr: StreamRow) -> Result<LogInfo> {
    let stdout = of_stream(attempt, log::Stream::Stdout, stdout)?;
    let stderr = of_stream(attempt, log::Stream::Stderr, stderr)?;
    let cut = attempt.result.as_ref().is_some_and(|result| result.truncated);
    Ok(LogInfo {
        attempt: attempt.attempt,
        status: if attempt.finished_at.is_none() { Status::Running } else { attempt.status },
        stdout,
        stderr,
        truncated: cut || stdout.omitted() + stderr.omitted() > 0,
    })
}

fn of_stream(attempt: &Attempt, stream: log::Stream, row: StreamRow) -> Result<StreamInfo> {
    let (head_end, tail_start, stored_end) = row;
    let stored_end: u64 = number(stored_end.unwrap_or(0))?;
    if let Some(head_end) = head_end {
        let head_end: u64 = number(head_end)?;
        let tail_start = tail_start.map(number).transpose()?.unwrap_or(stored_end);
        return Ok(StreamInfo {
            written: stored_end.max(head_end),
            head_end,
            tail_start: tail_start.max(head_end),
        });
    }
    let written = attempt.result.as_ref().map_or(0, |result| match stream {
        log::Stream::Stdout => result.stdout_bytes,
        log::Stream::Stderr => result.stderr_bytes,
    });
    // What the command wrote beyond the stored bytes was left out at the end.
    let written = written.max(stored_end);
    Ok(StreamInfo { written, head_end: stored_end, tail_start: written })
}

/// Gathers chunks that end after `from`, as many as fit into `max_bytes`, at least one if there is
/// any. Each row is the place of a chunk, its bytes, and its marks.
///
/// # Errors
/// Those of the rows.
pub async fn gather(
    mut rows: impl Stream<Item = Result<ChunkRow>> + Unpin,
    stream: log::Stream,
    from: u64,
    max_bytes: usize,
) -> Result<Vec<LogChunk>> {
    let mut chunks = Vec::new();
    let mut size = 0;
    while let Some((start, bytes, marks)) = rows.try_next().await? {
        let offset = number(start)?;
        let marks = marks.as_deref().map(read_marks).transpose()?.unwrap_or_default();
        let chunk = LogChunk { stream, offset, bytes: Bytes::from(bytes), marks };
        if chunk.end() <= from {
            continue;
        }
        if !chunks.is_empty() && size + chunk.bytes.len() > max_bytes {
            break;
        }
        size += chunk.bytes.len();
        chunks.push(chunk);
        if size >= max_bytes {
            break;
        }
    }
    Ok(chunks)
}
