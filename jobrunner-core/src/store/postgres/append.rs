use sqlx::PgConnection;

use super::{sql, store_error};
use crate::{
    JobId, Result,
    log::LogChunk,
    store::engine::{
        output::written_marks,
        values::{stored, stream_code},
    },
};

/// Stores chunks of any number of attempts by one statement; those that are stored already are left
/// as they are.
pub(super) async fn append(
    connection: &mut PgConnection,
    chunks: Vec<(JobId, i64, &LogChunk)>,
) -> Result<()> {
    if chunks.is_empty() {
        return Ok(());
    }
    let (mut jobs, mut attempts, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    let (mut starts, mut bytes, mut marks) = (Vec::new(), Vec::new(), Vec::new());
    for (job, attempt, chunk) in chunks {
        jobs.push(job.as_uuid());
        attempts.push(attempt);
        streams.push(stream_code(chunk.stream));
        starts.push(stored(chunk.offset));
        bytes.push(chunk.bytes.as_ref());
        marks.push(written_marks(chunk)?);
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
