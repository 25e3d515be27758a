use chrono::{DateTime, Utc};
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

/// How many jobs of an owner and a batch ended.
type Ended = (Uuid, Option<Uuid>, i64);

/// As [`pass`], of all that is open of one owner or of everybody.
pub(super) async fn pass_of_all(
    connection: &mut PgConnection,
    owner: Option<Uuid>,
    status: Status,
) -> Result<(Vec<Ended>, u64)> {
    let rows: Vec<(Option<Uuid>, Option<Uuid>, i64)> = sqlx::query_as(sql!("open/cancel"))
        .bind(owner)
        .bind(code(status))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    // The one without an owner is of those that run.
    let told = rows.iter().find(|(owner, ..)| owner.is_none()).map_or(0, |(.., told)| *told);
    let ended = rows.into_iter().filter_map(|(owner, batch, jobs)| Some((owner?, batch, jobs)));
    Ok((ended.collect(), number(told)?))
}

/// The moment at which a cancel of all that is open begins.
pub(super) async fn begin(store: &PostgresStore) -> Result<DateTime<Utc>> {
    sqlx::query_scalar(sql!("open/now")).fetch_one(store.hot()).await.map_err(store_error)
}

/// Whether a job that was there at that moment may still be started, or runs unmarked.
pub(super) async fn is_left(
    store: &PostgresStore,
    owner: Option<Uuid>,
    begun: DateTime<Utc>,
) -> Result<bool> {
    let left = sqlx::query_scalar(sql!("open/uncanceled")).bind(owner).bind(begun);
    left.fetch_one(store.hot()).await.map_err(store_error)
}
