use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{SqliteStore, both::cancel::Target, clock, sql, steps, store_error};
use crate::{Result, Status, store::engine::values::code};

/// Ends what waits of a job or batch, with this status, and marks what runs. Returns how many that
/// were.
pub(super) async fn pass(
    connection: &mut SqliteConnection,
    id: Uuid,
    status: Status,
) -> Result<(u64, u64)> {
    let told = sqlx::query(sql!("cancel/mark")).bind(id).execute(&mut *connection).await;
    let withdraw =
        steps!("cancel/withdraw_leases", "cancel/withdraw_ready", "cancel/withdraw_deferred");
    sqlx::query(withdraw).bind(id).execute(&mut *connection).await.map_err(store_error)?;
    let results = sqlx::query(sql!("cancel/results")).bind(id).bind(clock::day());
    results.execute(&mut *connection).await.map_err(store_error)?;
    let ended = sqlx::query(sql!("cancel/end"))
        .bind(id)
        .bind(code(status))
        .bind(clock::now())
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok((ended.rows_affected(), told.map_err(store_error)?.rows_affected()))
}

/// Whether something was moved at the moment of the pass: there is one writer, so nothing is.
pub(super) async fn has_escaped(_: &SqliteStore, _: Target) -> Result<bool> {
    Ok(false)
}

/// How many jobs of an owner and a batch ended.
type Ended = (Uuid, Option<Uuid>, i64);

/// As [`pass`], of all that is open of one owner or of everybody.
pub(super) async fn pass_of_all(
    connection: &mut SqliteConnection,
    owner: Option<Uuid>,
    status: Status,
) -> Result<(Vec<Ended>, u64)> {
    let told = sqlx::query(sql!("open/tell")).bind(owner).execute(&mut *connection).await;
    let open = sqlx::query_as(sql!("open/count")).bind(owner).fetch_all(&mut *connection).await;
    let results = sqlx::query(sql!("open/results")).bind(owner).bind(clock::day());
    results.execute(&mut *connection).await.map_err(store_error)?;
    let end =
        steps!("open/end", "open/withdraw_ready", "open/withdraw_deferred", "open/withdraw_leases");
    let end = sqlx::query(end).bind(owner).bind(code(status)).bind(clock::now());
    end.execute(connection).await.map_err(store_error)?;
    Ok((open.map_err(store_error)?, told.map_err(store_error)?.rows_affected()))
}

/// The moment at which a cancel of all that is open begins: it is one pass, so nobody asks for it.
#[derive(Clone, Copy)]
pub(super) struct Begun;

pub(super) async fn begin(_: &SqliteStore) -> Result<Begun> {
    Ok(Begun)
}

/// Whether something was moved at the moment of the pass: there is one writer, so nothing is.
pub(super) async fn is_left(_: &SqliteStore, _owner: Option<Uuid>, _: Begun) -> Result<bool> {
    Ok(false)
}
