//! What is decided by one at a time: everything, since there is one writer.

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{sql, store_error};
use crate::Result;

/// Nobody else decides anything by looking at all accounts.
pub(super) async fn accounts(_: &mut SqliteConnection) -> Result<()> {
    Ok(())
}

/// Nobody else stores this key.
pub(super) async fn key(_: &mut SqliteConnection, _owner: Uuid, _key: &str) -> Result<()> {
    Ok(())
}

/// Nobody else changes this project or its members.
pub(super) async fn project(_: &mut SqliteConnection, _name: &str) -> Result<()> {
    Ok(())
}

/// Returns the owner of a batch, which nobody else deletes.
pub(super) async fn batch(connection: &mut SqliteConnection, batch: Uuid) -> Result<Option<Uuid>> {
    let owner = sqlx::query_scalar(sql!(both "batch/owner")).bind(batch);
    owner.fetch_optional(connection).await.map_err(store_error)
}
