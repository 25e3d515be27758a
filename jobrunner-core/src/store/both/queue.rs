//! Queues, as they are looked at, changed and forgotten.

use std::time::Duration;

use super::{Connection, Pool, Store, sql, store_error, turn};
use crate::{
    Error, Result, UserId,
    lease::{QueueState, QueueUpdate},
    store::engine::rows::QueueRow,
};

/// The queue of this name, or the first ones after a name.
pub(super) async fn list(
    pool: &Pool,
    name: Option<&str>,
    after: &str,
    limit: u32,
) -> Result<Vec<QueueState>> {
    let rows: Vec<QueueRow> = sqlx::query_as(sql!("queue/list"))
        .bind(name)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    rows.into_iter().map(QueueRow::into_state).collect()
}

pub(super) async fn update(store: &Store, name: String, update: QueueUpdate) -> Result<()> {
    store.change(move |c| Box::pin(change(c, name, update))).await
}

async fn change(connection: &mut Connection, name: String, update: QueueUpdate) -> Result<()> {
    let QueueUpdate { paused, weight } = update;
    let change = sqlx::query(sql!(both "queue/update")).bind(&name).bind(paused).bind(weight);
    let changed = change.execute(&mut *connection).await.map_err(store_error)?;
    if changed.rows_affected() == 0 {
        return Err(Error::NotFound("queue"));
    }
    if let Some(paused) = paused {
        let lanes = match paused {
            true => sqlx::query(sql!(both "turn/pause")),
            false => sqlx::query(sql!(both "turn/resume")),
        };
        lanes.bind(&name).execute(&mut *connection).await.map_err(store_error)?;
    }
    if let Some(weight) = weight {
        let lanes = sqlx::query(sql!(both "turn/weigh")).bind(&name).bind(weight);
        lanes.execute(connection).await.map_err(store_error)?;
    }
    Ok(())
}

pub(super) async fn forget(store: &Store, unused: Duration) -> Result<u64> {
    store.change(move |c| Box::pin(turn::forget_queues(c, unused))).await
}

pub(super) async fn weigh_owner(store: &Store, owner: UserId, weight: f64) -> Result<()> {
    let weigh = sqlx::query(sql!(both "turn/weigh_owner")).bind(owner.as_uuid()).bind(weight);
    store.execute(weigh).await.map(|_| ())
}
