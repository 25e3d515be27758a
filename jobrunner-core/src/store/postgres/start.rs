use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{finish::columns, sql, store_error, tally::Tally};
use crate::{Result, Status, lease::LeaseRef, status::Change};

/// Charges attempts. Nothing ends here, so the tally only needs to be counted.
pub(super) async fn start(
    connection: &mut PgConnection,
    leases: &[LeaseRef],
) -> Result<(Vec<LeaseRef>, Tally)> {
    let running = super::step(Status::Waiting, Change::Start)?;
    let (jobs, tokens) = columns(leases);
    let fresh: Vec<(Uuid, i64, Uuid, Option<Uuid>)> = sqlx::query_as(sql!("lease/start"))
        .bind(&jobs)
        .bind(&tokens)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let mut tally = Tally::default();
    for (_, _, owner, batch) in &fresh {
        tally.moved(*owner, *batch, Status::Waiting, running);
    }
    begin_batches(connection, &tally).await?;
    let mut started: HashSet<(Uuid, i64)> =
        fresh.into_iter().map(|(job, token, ..)| (job, token)).collect();
    if started.len() < leases.len() {
        // The answer to an earlier call may have been lost.
        let before: Vec<(Uuid, i64)> = sqlx::query_as(sql!("lease/started"))
            .bind(&jobs)
            .bind(&tokens)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        started.extend(before);
    }
    let is_started = |lease: &&LeaseRef| started.contains(&(lease.job.as_uuid(), lease.token.0));
    Ok((leases.iter().filter(is_started).copied().collect(), tally))
}

async fn begin_batches(connection: &mut PgConnection, tally: &Tally) -> Result<()> {
    let batches: Vec<Uuid> = tally.batches.keys().copied().collect();
    if batches.is_empty() {
        return Ok(());
    }
    let begun = sqlx::query(sql!("batch/begin")).bind(batches).execute(connection).await;
    begun.map(|_| ()).map_err(store_error)
}

/// Gives back leases that were not started.
pub(super) async fn release(connection: &mut PgConnection, leases: &[LeaseRef]) -> Result<()> {
    let (jobs, tokens) = columns(leases);
    sqlx::query(sql!("lease/return"))
        .bind(jobs)
        .bind(tokens)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
