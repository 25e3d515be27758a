//! Sessions expire by the database's clock. Renewals have a connection of their own.

use super::{PostgresStore, sql, store_error};
use crate::{
    Error, Result, SessionId,
    lease::NewSession,
    store::engine::{
        decide::SessionLease,
        rows::WorkerRow,
        values::{millis, render},
    },
};

pub(super) async fn open(store: &PostgresStore, session: NewSession) -> Result<()> {
    sqlx::query(sql!("session/insert"))
        .bind(session.id.as_uuid())
        .bind(session.host)
        .bind(i64::from(session.pid))
        .bind(i64::from(session.slots))
        .bind(render(&session.queues)?)
        .bind(millis(session.ttl).min(i64::MAX / 2))
        .bind(session.containment.as_str())
        .execute(&store.pools.reserved)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Keeps a session; returns whether it is to drain, and its leases.
pub(super) async fn renew(
    store: &PostgresStore,
    session: SessionId,
) -> Result<(bool, Vec<SessionLease>)> {
    let renewed: Option<bool> = sqlx::query_scalar(sql!("session/renew"))
        .bind(session.as_uuid())
        .fetch_optional(&store.pools.reserved)
        .await
        .map_err(store_error)?;
    let drain = renewed.ok_or(Error::NotFound("session"))?;
    let leases = sqlx::query_as(sql!("lease/of_session"))
        .bind(session.as_uuid())
        .fetch_all(&store.pools.reserved)
        .await
        .map_err(store_error)?;
    Ok((drain, leases))
}

/// Forgets the sessions that have expired, or all.
pub(super) async fn forget(store: &PostgresStore, all: bool) -> Result<()> {
    store.execute(sqlx::query(sql!("session/delete_expired")).bind(all)).await.map(|_| ())
}

/// The sessions that have not expired.
pub(super) async fn workers(store: &PostgresStore) -> Result<Vec<WorkerRow>> {
    sqlx::query_as(sql!("session/list")).fetch_all(store.reads()).await.map_err(store_error)
}
