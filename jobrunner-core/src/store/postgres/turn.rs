//! Which lanes may have claimable jobs.

use std::time::Duration;

use sqlx::PgConnection;

use super::{PostgresStore, sql, store_error};
use crate::{Result, store::engine::values::millis};

/// Forgets that lanes are active which have been idle for a while, and finds those that are not
/// known to be: of jobs that were restored from a copy, or stored while their queue was resumed.
pub(super) async fn tidy(store: &PostgresStore) -> Result<()> {
    store
        .change(|connection| {
            Box::pin(async move {
                let idle: Vec<i64> = sqlx::query_scalar(sql!("turn/candidates"))
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(store_error)?;
                if idle.is_empty() {
                    return Ok(());
                }
                // A later statement than the one that locks: it sees what was stored before.
                let forget = sqlx::query(sql!("turn/forget")).bind(idle);
                forget.execute(connection).await.map(|_| ()).map_err(store_error)
            })
        })
        .await?;
    store.execute(sqlx::query(sql!("turn/repair"))).await.map(|_| ())
}

/// Forgets the queues that nobody has used for so long, and answers how many.
pub(super) async fn forget_queues(connection: &mut PgConnection, unused: Duration) -> Result<u64> {
    let note = sqlx::query(sql!("queue/note_use"));
    note.execute(&mut *connection).await.map_err(store_error)?;
    let forget = sqlx::query(sql!("queue/forget")).bind(millis(unused));
    let forgotten = forget.execute(connection).await.map_err(store_error)?;
    Ok(forgotten.rows_affected())
}
