use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    PostgresStore,
    cancel::PASSES,
    rows::{code, number},
    sql, store_error,
    tally::Tally,
};
use crate::{Error, Result, Status, UserId, status::Change, store::Canceled};

/// Cancels all that is open, of one owner or of everybody: passes as those of a batch, until nothing is
/// left of what was there at the beginning. What is submitted meanwhile may be canceled, too.
pub(super) async fn cancel_all(store: &PostgresStore, owner: Option<UserId>) -> Result<Canceled> {
    let owner = owner.map(UserId::as_uuid);
    let begun: DateTime<Utc> = sqlx::query_scalar(sql!("open/now"))
        .fetch_one(&store.pools.changes)
        .await
        .map_err(store_error)?;
    let mut canceled = Canceled::default();
    for _ in 0..PASSES {
        let (ended, told) =
            store.counted(move |connection| Box::pin(pass(connection, owner))).await?;
        canceled.ended += ended;
        canceled.stopping += told;
        let again: bool = sqlx::query_scalar(sql!("open/uncanceled"))
            .bind(owner)
            .bind(begun)
            .fetch_one(&store.pools.changes)
            .await
            .map_err(store_error)?;
        if !again {
            return Ok(canceled);
        }
    }
    Err(Error::unavailable("the cancel", "the jobs kept moving while they were canceled"))
}

async fn pass(connection: &mut PgConnection, owner: Option<Uuid>) -> Result<((u64, u64), Tally)> {
    let status = super::step(Status::Waiting, Change::Cancel)?;
    let rows: Vec<(Option<Uuid>, Option<Uuid>, i64)> = sqlx::query_as(sql!("open/cancel"))
        .bind(owner)
        .bind(code(status) as i16)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let (mut ended, mut told) = (0, 0);
    let mut tally = Tally::default();
    for (owner, batch, jobs) in rows {
        let Some(owner) = owner else {
            told = number(jobs)?;
            continue;
        };
        ended += number::<u64>(jobs)?;
        tally.add(owner, batch, Status::Waiting, -jobs);
        tally.add(owner, batch, status, jobs);
    }
    Ok(((ended, told), tally))
}
