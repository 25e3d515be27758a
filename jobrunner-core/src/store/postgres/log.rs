use bytes::Bytes;
use futures_util::TryStreamExt;
use sqlx::{PgConnection, PgPool};

use super::{
    read,
    rows::{number, stored, stream_code},
    sql, store_error,
};
use crate::{
    Error, JobId, Result, Status,
    job::Attempt,
    lease::LeaseRef,
    log::{LogChunk, LogInfo, LogKey, Stream, StreamInfo, Trim},
};

/// Stores output of a started lease; `false` when it is no longer held.
pub(super) async fn append_held(
    connection: &mut PgConnection,
    lease: LeaseRef,
    chunks: &[LogChunk],
    trim: &[Trim],
) -> Result<bool> {
    let attempt: Option<i64> = sqlx::query_scalar(sql!("log/attempt_of"))
        .bind(lease.token.0)
        .bind(lease.job.as_uuid())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some(attempt) = attempt else {
        return Ok(false);
    };
    let of_lease = chunks.iter().map(|chunk| (lease.job, attempt, chunk));
    append(connection, of_lease).await?;
    for part in trim {
        let stream = stream_code(part.stream) as i16;
        sqlx::query(sql!("log/trim"))
            .bind(lease.job.as_uuid())
            .bind(attempt)
            .bind(stream)
            .bind(stored(part.from))
            .bind(stored(part.to))
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        sqlx::query(sql!("log/mark_gap"))
            .bind(lease.job.as_uuid())
            .bind(attempt)
            .bind(stream)
            .bind(stored(part.from))
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(true)
}

/// Stores chunks of any number of attempts; those that are stored already are left as they are.
pub(super) async fn append(
    connection: &mut PgConnection,
    chunks: impl Iterator<Item = (JobId, i64, &LogChunk)>,
) -> Result<()> {
    let (mut jobs, mut attempts, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    let (mut starts, mut bytes) = (Vec::new(), Vec::new());
    for (job, attempt, chunk) in chunks {
        jobs.push(job.as_uuid());
        attempts.push(attempt);
        streams.push(stream_code(chunk.stream) as i16);
        starts.push(stored(chunk.offset));
        bytes.push(chunk.bytes.as_ref());
    }
    if jobs.is_empty() {
        return Ok(());
    }
    sqlx::query(sql!("log/append"))
        .bind(jobs)
        .bind(attempts)
        .bind(streams)
        .bind(starts)
        .bind(bytes)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Where the head ends if there is a gap, where the tail starts, where what is stored ends.
type StreamRow = (Option<i64>, Option<i64>, Option<i64>);

pub(super) async fn info(pool: &PgPool, job: JobId, wanted: Option<u32>) -> Result<LogInfo> {
    let mut attempts = read::attempts(pool, job).await?;
    let attempt = match wanted {
        None => attempts.pop(),
        Some(number) => {
            let found = attempts.into_iter().find(|attempt| attempt.attempt == number);
            Some(found.ok_or(Error::NotFound("attempt"))?)
        }
    };
    let Some(attempt) = attempt else {
        let status = read::job_status(pool, job).await?;
        let nothing = StreamInfo::default();
        return Ok(LogInfo {
            attempt: 0,
            status,
            stdout: nothing,
            stderr: nothing,
            truncated: false,
        });
    };
    let stdout = stream_info(pool, job, &attempt, Stream::Stdout).await?;
    let stderr = stream_info(pool, job, &attempt, Stream::Stderr).await?;
    let cut = attempt.result.as_ref().is_some_and(|result| result.truncated);
    Ok(LogInfo {
        attempt: attempt.attempt,
        status: if attempt.finished_at.is_none() { Status::Running } else { attempt.status },
        stdout,
        stderr,
        truncated: cut || stdout.omitted() + stderr.omitted() > 0,
    })
}

async fn stream_info(
    pool: &PgPool,
    job: JobId,
    attempt: &Attempt,
    stream: Stream,
) -> Result<StreamInfo> {
    let (head_end, tail_start, stored_end): StreamRow = sqlx::query_as(sql!("log/stream"))
        .bind(job.as_uuid())
        .bind(i64::from(attempt.attempt))
        .bind(stream_code(stream) as i16)
        .fetch_one(pool)
        .await
        .map_err(store_error)?;
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
        Stream::Stdout => result.stdout_bytes,
        Stream::Stderr => result.stderr_bytes,
    });
    // What the command wrote beyond the stored bytes was left out at the end.
    let written = written.max(stored_end);
    Ok(StreamInfo { written, head_end: stored_end, tail_start: written })
}

pub(super) async fn read(
    pool: &PgPool,
    key: LogKey,
    stream: Stream,
    from: u64,
    max_bytes: usize,
) -> Result<Vec<LogChunk>> {
    let mut rows = sqlx::query_as::<_, (i64, Vec<u8>)>(sql!("log/read"))
        .bind(key.job.as_uuid())
        .bind(i64::from(key.attempt))
        .bind(stream_code(stream) as i16)
        .bind(stored(from))
        .fetch(pool);
    let mut chunks = Vec::new();
    let mut size = 0;
    while let Some((start, bytes)) = rows.try_next().await.map_err(store_error)? {
        let chunk = LogChunk { stream, offset: number(start)?, bytes: Bytes::from(bytes) };
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
