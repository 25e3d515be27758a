//! Results by months: partitions, made ahead and dropped whole.

use super::{PostgresStore, sql, store_error};
use crate::{Result, store::engine::values::number};

/// Makes the partitions of this month and the next two, those that are not there yet.
pub(super) async fn make(store: &PostgresStore) -> Result<()> {
    store.execute(sqlx::query(sql!("result/months"))).await.map(|_| ())
}

/// Forgets months that ended so many days ago or more.
pub(super) async fn forget(store: &PostgresStore, days: u32) -> Result<u64> {
    let forgotten: i64 = sqlx::query_scalar(sql!("result/forget"))
        .bind(i64::from(days))
        .fetch_one(store.hot())
        .await
        .map_err(store_error)?;
    number(forgotten)
}
