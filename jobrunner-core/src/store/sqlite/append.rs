use sqlx::SqliteConnection;

use super::{sql, store_error};
use crate::{
    JobId, Result,
    log::LogChunk,
    store::engine::{
        output::written_marks,
        values::{stored, stream_code},
    },
};

/// Stores chunks of any number of attempts; those that are stored already are left as they are.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    chunks: Vec<(JobId, i64, &LogChunk)>,
) -> Result<()> {
    for (job, attempt, chunk) in chunks {
        sqlx::query(sql!("log/append"))
            .bind(job.as_uuid())
            .bind(attempt)
            .bind(stream_code(chunk.stream))
            .bind(stored(chunk.offset))
            .bind(chunk.bytes.as_ref())
            .bind(written_marks(chunk)?)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}
