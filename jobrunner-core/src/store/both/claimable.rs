//! What may be claimed, for a queue that is filled again.

use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use uuid::Uuid;

use super::{Pool, sql, store_error};
use crate::{BatchId, Result, lease::Claimable, store::engine::rows::ClaimableRow};

/// A job's place in the order of claims.
type Place = (i64, i64, Uuid);

pub(super) fn pages(pool: &Pool, of: Option<BatchId>) -> BoxStream<'_, Result<Vec<Claimable>>> {
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

async fn page(
    pool: &Pool,
    (lane, prio, job): Place,
    of: Option<BatchId>,
) -> Result<Vec<ClaimableRow>> {
    let query = match of {
        None => sqlx::query_as(sql!(both "claim/columns", both "claim/claimable"))
            .bind(lane)
            .bind(prio)
            .bind(job),
        Some(batch) => sqlx::query_as(sql!(both "claim/columns", "claim/claimable_of_batch"))
            .bind(batch.as_uuid())
            .bind(job),
    };
    query.fetch_all(pool).await.map_err(store_error)
}
