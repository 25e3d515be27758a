//! Queues, as they are looked at and changed.

use super::{Pool, Store, sql, store_error};
use crate::{
    Error, Result,
    lease::{QueueState, QueueUpdate},
    store::engine::rows::QueueRow,
};

pub(super) async fn list(pool: &Pool, name: Option<&str>) -> Result<Vec<QueueState>> {
    let rows: Vec<QueueRow> =
        sqlx::query_as(sql!("queue/list")).bind(name).fetch_all(pool).await.map_err(store_error)?;
    rows.into_iter().map(QueueRow::into_state).collect()
}

pub(super) async fn update(store: &Store, name: String, update: QueueUpdate) -> Result<()> {
    let QueueUpdate { paused, weight } = update;
    let change = sqlx::query(sql!(both "queue/update")).bind(name).bind(paused).bind(weight);
    if store.execute(change).await? == 0 { Err(Error::NotFound("queue")) } else { Ok(()) }
}
