use futures_util::TryStreamExt;
use sqlx::{PgConnection, PgPool};

use super::{
    output::{self, StreamRow},
    read,
    rows::{stored, stream_code},
    sql, store_error,
};
use crate::{
    JobId, Result,
    lease::LeaseRef,
    log::{LogChunk, LogInfo, LogKey, Stream, Trim},
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
    let (mut starts, mut bytes, mut marks) = (Vec::new(), Vec::new(), Vec::new());
    for (job, attempt, chunk) in chunks {
        jobs.push(job.as_uuid());
        attempts.push(attempt);
        streams.push(stream_code(chunk.stream) as i16);
        starts.push(stored(chunk.offset));
        bytes.push(chunk.bytes.as_ref());
        marks.push(output::written_marks(chunk)?);
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
        .bind(marks)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

pub(super) async fn info(pool: &PgPool, job: JobId, wanted: Option<u32>) -> Result<LogInfo> {
    let attempts = read::attempts(pool, job).await?;
    let Some(attempt) = output::chosen(attempts, wanted)? else {
        return Ok(output::nothing(read::job_status(pool, job).await?));
    };
    let key = LogKey { job, attempt: attempt.attempt };
    let stdout = stream(pool, key, Stream::Stdout).await?;
    let stderr = stream(pool, key, Stream::Stderr).await?;
    output::of_attempt(&attempt, stdout, stderr)
}

async fn stream(pool: &PgPool, key: LogKey, stream: Stream) -> Result<StreamRow> {
    sqlx::query_as(sql!("log/stream"))
        .bind(key.job.as_uuid())
        .bind(i64::from(key.attempt))
        .bind(stream_code(stream) as i16)
        .fetch_one(pool)
        .await
        .map_err(store_error)
}

pub(super) async fn read(
    pool: &PgPool,
    key: LogKey,
    stream: Stream,
    from: u64,
    max_bytes: usize,
) -> Result<Vec<LogChunk>> {
    let rows = sqlx::query_as::<_, output::ChunkRow>(sql!("log/read"))
        .bind(key.job.as_uuid())
        .bind(i64::from(key.attempt))
        .bind(stream_code(stream) as i16)
        .bind(stored(from))
        .fetch(pool)
        .map_err(store_error);
    output::gather(rows, stream, from, max_bytes).await
}
