//! Output, as it is stored for a lease and read again.

use futures_util::TryStreamExt;

use super::{Connection, Pool, append, read, sql, store_error};
use crate::{
    JobId, Result,
    lease::LeaseRef,
    log::{LogChunk, LogInfo, LogKey, Stream, Trim},
    store::engine::{
        output::{self, StreamRow},
        values::{stored, stream_code},
    },
};

/// Stores output of a started lease, and returns `false` when it is no longer held.
pub(super) async fn append_held(
    connection: &mut Connection,
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
    let of_lease = chunks.iter().map(|chunk| (lease.job, attempt, chunk)).collect();
    append::append(connection, of_lease).await?;
    for part in trim {
        sqlx::query(sql!(both "log/trim"))
            .bind(lease.job.as_uuid())
            .bind(attempt)
            .bind(stream_code(part.stream))
            .bind(stored(part.from))
            .bind(stored(part.to))
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        sqlx::query(sql!(both "log/mark_gap"))
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

pub(super) async fn info(pool: &Pool, job: JobId, wanted: Option<u32>) -> Result<LogInfo> {
    let attempts = read::attempts(pool, job).await?;
    let Some(attempt) = output::chosen(attempts, wanted)? else {
        return Ok(output::nothing(read::job_status(pool, job).await?));
    };
    let key = LogKey { job, attempt: attempt.attempt };
    let stdout = stream(pool, key, Stream::Stdout).await?;
    let stderr = stream(pool, key, Stream::Stderr).await?;
    output::of_attempt(&attempt, stdout, stderr)
}

async fn stream(pool: &Pool, key: LogKey, stream: Stream) -> Result<StreamRow> {
    sqlx::query_as(sql!(both "log/stream"))
        .bind(key.job.as_uuid())
        .bind(i64::from(key.attempt))
        .bind(stream_code(stream))
        .fetch_one(pool)
        .await
        .map_err(store_error)
}

pub(super) async fn read(
    pool: &Pool,
    key: LogKey,
    stream: Stream,
    from: u64,
    max_bytes: usize,
) -> Result<Vec<LogChunk>> {
    let rows = sqlx::query_as::<_, output::ChunkRow>(sql!(both "log/read"))
        .bind(key.job.as_uuid())
        .bind(i64::from(key.attempt))
        .bind(stream_code(stream))
        .bind(stored(from))
        .fetch(pool)
        .map_err(store_error);
    output::gather(rows, stream, from, max_bytes).await
}
