use sqlx::PgPool;

use super::{rows::QueueRow, sql, store_error};
use crate::{
    Error, Result,
    lease::{QueueState, QueueUpdate},
};

pub(super) async fn list(pool: &PgPool, name: Option<&str>) -> Result<Vec<QueueState>> {
    let rows: Vec<QueueRow> =
        sqlx::query_as(sql!("queue/list")).bind(name).fetch_all(pool).await.map_err(store_error)?;
    rows.into_iter().map(QueueRow::into_state).collect()
}

pub(super) async fn update(pool: &PgPool, name: &str, update: QueueUpdate) -> Result<()> {
    let updated = sqlx::query(sql!("queue/update"))
        .bind(name)
        .bind(update.paused)
        .bind(update.weight)
        .execute(pool)
        .await
        .map_err(store_error)?;
    if updated.rows_affected() == 0 { Err(Error::NotFound("queue")) } else { Ok(()) }
}
