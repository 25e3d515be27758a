//! Results by months: their rows are deleted.

use super::{SqliteStore, clock, sql, store_error};
use crate::Result;

/// Makes ready what months need: nothing.
pub(super) async fn make(_: &SqliteStore) -> Result<()> {
    Ok(())
}

/// Forgets months that ended so many days ago or more.
pub(super) async fn forget(store: &SqliteStore, days: u32) -> Result<u64> {
    store
        .change(move |connection| {
            Box::pin(async move {
                let today = clock::day();
                let days = i64::from(days);
                let months: Vec<i64> = sqlx::query_scalar(sql!("result/months"))
                    .bind(today)
                    .bind(days)
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(store_error)?;
                sqlx::query(sql!("result/forget"))
                    .bind(today)
                    .bind(days)
                    .execute(connection)
                    .await
                    .map_err(store_error)?;
                Ok(months.len() as u64)
            })
        })
        .await
}
