//! What is decided by one at a time.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{sql, store_error};
use crate::Result;

/// Lets no other transaction decide anything by looking at all accounts.
pub(super) async fn accounts(connection: &mut PgConnection) -> Result<()> {
    let locked = sqlx::query(sql!("account/lock")).execute(connection).await;
    locked.map(|_| ()).map_err(store_error)
}

/// Lets no other transaction store this key.
pub(super) async fn key(connection: &mut PgConnection, owner: Uuid, key: &str) -> Result<()> {
    let lock = sqlx::query(sql!("submit/lock_key")).bind(owner).bind(key);
    lock.execute(connection).await.map(|_| ()).map_err(store_error)
}

/// Lets no other transaction change this project or its members.
pub(super) async fn project(connection: &mut PgConnection, name: &str) -> Result<()> {
    let lock = sqlx::query(sql!("project/lock")).bind(name);
    lock.execute(connection).await.map(|_| ()).map_err(store_error)
}

/// Lets no other transaction delete this batch, and returns its owner.
pub(super) async fn batch(connection: &mut PgConnection, batch: Uuid) -> Result<Option<Uuid>> {
    let lock = sqlx::query_scalar(sql!("batch/lock")).bind(batch);
    lock.fetch_optional(connection).await.map_err(store_error)
}
