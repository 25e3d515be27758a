//! What is told of a batch as a whole.

use chrono::{DateTime, Utc};

use super::{Pool, sql, store_error};
use crate::{
    BatchId, Result,
    insight::{Cause, FAILURES_LOOKED_AT, JOBS_NAMED, Part},
    store::engine::insight::{self, FailureRow, PartRow},
};

pub(super) async fn causes(pool: &Pool, batch: BatchId) -> Result<Vec<Cause>> {
    let rows: Vec<FailureRow> = sqlx::query_as(sql!("batch/causes"))
        .bind(batch.as_uuid())
        .bind(i64::from(FAILURES_LOOKED_AT))
        .bind(i64::from(JOBS_NAMED))
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    insight::causes(rows)
}

pub(super) async fn timeline(
    pool: &Pool,
    batch: BatchId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    parts: u32,
) -> Result<Vec<Part>> {
    let rows: Vec<PartRow> = sqlx::query_as(sql!("batch/timeline"))
        .bind(batch.as_uuid())
        .bind(from.timestamp_millis())
        .bind(to.timestamp_millis())
        .bind(i64::from(parts))
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    insight::parts(rows, parts)
}
