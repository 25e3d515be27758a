use futures_util::TryStreamExt;
use sqlx::{SqliteConnection, SqlitePool};

use super::{
    output::{self, StreamRow},
    read,
    rows::{number, stored, stream_code},
    sql, store_error,
};
use crate::{
    JobId, Result,
    lease::LeaseRef,
    log::{LogChunk, LogInfo, LogKey, Stream, Trim},
};

/// Stores output of a started lease; `false` when it is no longer held.
pub(super) async fn append_held(
    connection: &mut SqliteConnection,
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
    append(connection, lease, number(attempt)?, chunks).await?;
    for part in trim {
        sqlx::query(sql!("log/trim"))
            .bind(lease.job.as_uuid())
            .bind(attempt)
            .bind(stream_code(part.stream))
            .bind(stored(part.from))
            .bind(stored(part.to))
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        sqlx::query(sql!("log/mark_gap"))
            .bind(lease.job.as_uuid())
            .bind(attempt)
            .bind(stream_code(part.stream))
            .bind(stored(part.from))
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(true)
}

pub(super) async fn append(
    connection: &mut SqliteConnection,
    lease: LeaseRef,
    attempt: u32,
    chunks: &[LogChunk],
) -> Result<()> {
    for chunk in chunks {
        sqlx::query(sql!("log/append"))
            .bind(lease.job.as_uuid())
            .bind(attempt)
            .bind(stream_code(chunk.stream))
            .bind(stored(chunk.offset))
            .bind(chunk.bytes.as_ref())
            .bind(output::written_marks(chunk)?)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

/// How far a stream is stored.
pub(super) async fn stored_end(
    connection: &mut SqliteConnection,
    job: JobId,
    attempt: u32,
    stream: Stream,
) -> Result<u64> {
    let row: StreamRow = sqlx::query_as(sql!("log/stream"))
        .bind(job.as_uuid())
        .bind(attempt)
        .bind(stream_code(stream))
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    number(row.2.unwrap_or(0))
}

pub(super) async fn info(readers: &SqlitePool, job: JobId, wanted: Option<u32>) -> Result<LogInfo> {
    let attempts = read::attempts(readers, job).await?;
    let Some(attempt) = output::chosen(attempts, wanted)? else {
        return Ok(output::nothing(read::job_status(readers, job).await?));
    };
    let key = LogKey { job, attempt: attempt.attempt };
    let stdout = stream(readers, key, Stream::Stdout).await?;
    let stderr = stream(readers, key, Stream::Stderr).await?;
    output::of_attempt(&attempt, stdout, stderr)
}

async fn stream(readers: &SqlitePool, key: LogKey, stream: Stream) -> Result<StreamRow> {
    sqlx::query_as(sql!("log/stream"))
        .bind(key.job.as_uuid())
        .bind(key.attempt)
        .bind(stream_code(stream))
        .fetch_one(readers)
        .await
        .map_err(store_error)
}

pub(super) async fn read(
    readers: &SqlitePool,
    key: LogKey,
    stream: Stream,
    from: u64,
    max_bytes: usize,
) -> Result<Vec<LogChunk>> {
    let rows = sqlx::query_as::<_, output::ChunkRow>(sql!("log/read"))
        .bind(key.job.as_uuid())
        .bind(key.attempt)
        .bind(stream_code(stream))
        .bind(stored(from))
        .fetch(readers)
        .map_err(store_error);
    output::gather(rows, stream, from, max_bytes).await
}
