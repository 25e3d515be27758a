//! Sessions expire by the time since the machine was started.

use sqlx::SqliteConnection;

use super::{SqliteStore, clock, sql, steps, store_error};
use crate::{
    Error, Result, SessionId,
    lease::NewSession,
    store::engine::{
        decide::SessionLease,
        rows::WorkerRow,
        values::{millis, render},
    },
};

pub(super) async fn open(store: &SqliteStore, session: NewSession) -> Result<()> {
    store.change(|c| Box::pin(insert(c, session))).await
}

async fn insert(connection: &mut SqliteConnection, session: NewSession) -> Result<()> {
    sqlx::query(steps!("session/insert_host", "session/name_host", "session/insert"))
        .bind(session.id.as_uuid())
        .bind(session.host)
        .bind(i64::from(session.pid))
        .bind(i64::from(session.slots))
        .bind(render(&session.queues)?)
        .bind(millis(session.ttl).min(i64::MAX / 2))
        .bind(clock::now())
        .bind(clock::uptime())
        .bind(session.containment.as_str())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Keeps a session; returns whether it is to drain, and its leases.
pub(super) async fn renew(
    store: &SqliteStore,
    session: SessionId,
) -> Result<(bool, Vec<SessionLease>)> {
    store.change(move |c| Box::pin(keep(c, session))).await
}

async fn keep(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<(bool, Vec<SessionLease>)> {
    let (id, now) = (session.as_uuid(), clock::now());
    let renew = sqlx::query_scalar(sql!("session/renew")).bind(id).bind(now).bind(clock::uptime());
    let renewed = renew.fetch_optional(&mut *connection).await.map_err(store_error)?;
    let drain: bool = renewed.ok_or(Error::NotFound("session"))?;
    let leases = sqlx::query_as(sql!("lease/of_session")).bind(id).bind(now);
    Ok((drain, leases.fetch_all(connection).await.map_err(store_error)?))
}

/// Forgets the sessions that have expired, or all.
pub(super) async fn forget(store: &SqliteStore, all: bool) -> Result<()> {
    let forget = sqlx::query(sql!("session/delete_expired")).bind(all).bind(clock::uptime());
    store.execute(forget).await.map(|_| ())
}

/// The sessions that have not expired.
pub(super) async fn workers(store: &SqliteStore) -> Result<Vec<WorkerRow>> {
    let list = sqlx::query_as(sql!("session/list")).bind(clock::uptime());
    list.fetch_all(store.reads()).await.map_err(store_error)
}
