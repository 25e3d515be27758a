//! Which lanes may have claimable jobs.

use std::time::Duration;

use sqlx::SqliteConnection;

use super::{SqliteStore, clock, sql, store_error};
use crate::{Result, store::engine::values::millis};

/// Forgets that lanes are active which have been idle for a while.
pub(super) async fn tidy(store: &SqliteStore) -> Result<()> {
    store.execute(sqlx::query(sql!("turn/forget")).bind(clock::now())).await.map(|_| ())
}

/// Forgets the queues that nobody has used for so long, and answers how many.
pub(super) async fn forget_queues(
    connection: &mut SqliteConnection,
    unused: Duration,
) -> Result<u64> {
    let now = clock::now();
    let note = sqlx::query(sql!("queue/note_use")).bind(now);
    note.execute(&mut *connection).await.map_err(store_error)?;
    let forget = sqlx::query(sql!("queue/forget")).bind(now.saturating_sub(millis(unused)));
    let forgotten = forget.execute(connection).await.map_err(store_error)?;
    Ok(forgotten.rows_affected())
}
