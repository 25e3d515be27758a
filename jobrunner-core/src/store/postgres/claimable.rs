use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{rows::ClaimableRow, sql, store_error};
use crate::{BatchId, Result, lease::Claimable};

/// A job's place in the order of claims.
type Place = (i64, i64, Uuid);

pub(super) fn pages(pool: &PgPool, of: Option<BatchId>) -> BoxStream<'_, Result<Vec<Claimable>>> {
    let start: Place = (i64::MIN, i64::MIN, Uuid::nil());
    stream::try_unfold(Some(start), move |after| async move {
        let Some(after) = after else { return Ok(None) };
        let rows = page(pool, after, of).await?;
        let next = rows.last().map(ClaimableRow::place);
        if next.is_none() {
            return Ok(None);
        }
        let page: Result<Vec<_>> = rows.into_iter().map(ClaimableRow::into_claimable).collect();
        Ok(Some((page?, next)))
    })
    .boxed()
}

async fn page(pool: &PgPool, after: Place, of: Option<BatchId>) -> Result<Vec<ClaimableRow>> {
    let query = match of {
        None => sqlx::query_as(sql!("claim/claimable")),
        Some(_) => sqlx::query_as(sql!("claim/claimable_of_batch")),
    };
    let query = query.bind(after.0).bind(after.1).bind(after.2);
    let query = match of {
        None => query,
        Some(batch) => query.bind(batch.as_uuid()),
    };
    query.fetch_all(pool).await.map_err(store_error)
}
