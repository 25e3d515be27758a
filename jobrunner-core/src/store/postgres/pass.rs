use sqlx::PgConnection;
use uuid::Uuid;

use super::{PostgresStore, both::cancel::Target, sql, store_error};
use crate::{
    Result, Status,
    store::engine::values::{code, number},
};

/// Ends what waits of a job or batch, with this status, and marks what runs. Returns how many that
/// were.
pub(super) async fn pass(
    connection: &mut PgConnection,
    id: Uuid,
    status: Status,
) -> Result<(u64, u64)> {
    let (ended, told): (i64, i64) = sqlx::query_as(sql!("cancel/pass"))
        .bind(id)
        .bind(code(status))
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    Ok((number(ended)?, number(told)?))
}

/// Whether a job that a claim or a report moved at the moment of the pass may still be started, or
/// runs unmarked.
pub(super) async fn has_escaped(store: &PostgresStore, target: Target) -> Result<bool> {
    let sql = match target.batch == Some(target.id) {
        true => sql!("cancel/batch_escaped"),
        false => sql!("cancel/job_escaped"),
    };
    sqlx::query_scalar(sql).bind(target.id).fetch_one(store.hot()).await.map_err(store_error)
}
