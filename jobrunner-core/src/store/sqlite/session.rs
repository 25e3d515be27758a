use sqlx::{FromRow, SqliteConnection};
use uuid::Uuid;

use super::{clock, reclaim, rows::render, sql, store_error};
use crate::{
    Error, Result, SessionId,
    lease::{LeaseRef, LeaseToken, NewSession, Renewal, Rescue, Rescued},
};

pub(super) async fn open(connection: &mut SqliteConnection, session: NewSession) -> Result<()> {
    let ttl = i64::try_from(session.ttl.as_millis()).unwrap_or(i64::MAX / 2);
    sqlx::query(sql!("session/insert_host"))
        .bind(session.id.as_uuid())
        .bind(&session.host)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(sql!("session/insert"))
        .bind(session.id.as_uuid())
        .bind(session.host)
        .bind(i64::from(session.pid))
        .bind(i64::from(session.slots))
        .bind(render(&session.queues)?)
        .bind(ttl)
        .bind(clock::now())
        .bind(clock::uptime())
        .bind(session.containment.as_str())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

#[derive(FromRow)]
struct SessionLease {
    token: i64,
    job_id: Uuid,
    cancel: bool,
    claimed_at: i64,
}

impl SessionLease {
    fn lease(&self) -> LeaseRef {
        LeaseRef { job: self.job_id.into(), token: LeaseToken(self.token) }
    }
}

pub(super) async fn renew(
    connection: &mut SqliteConnection,
    session: SessionId,
    held: &[LeaseRef],
) -> Result<Renewal> {
    let now = clock::now();
    let renewed: Option<(bool, i64)> = sqlx::query_as(sql!("session/renew"))
        .bind(session.as_uuid())
        .bind(now)
        .bind(clock::uptime())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let (drain, ttl) = renewed.ok_or(Error::NotFound("session"))?;
    let leases: Vec<SessionLease> = sqlx::query_as(sql!("lease/of_session"))
        .bind(session.as_uuid())
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let known: Vec<LeaseRef> = leases.iter().map(SessionLease::lease).collect();
    let is_held = |lease: &LeaseRef| held.contains(lease);
    let cancel =
        leases.iter().filter(|l| l.cancel).map(SessionLease::lease).filter(is_held).collect();
    let lost = held.iter().filter(|lease| !known.contains(lease)).copied().collect();

    // The worker never heard of a lease when the answer to its claim was lost. One that was just
    // claimed may still be on its way.
    let unheard = leases.iter().filter(|l| l.claimed_at + ttl < now && !held.contains(&l.lease()));
    reclaim::give_back(connection, unheard.map(SessionLease::lease).collect()).await?;
    Ok(Renewal { lost, cancel, drain })
}

pub(super) async fn close(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<Vec<Rescued>> {
    sqlx::query(sql!("session/delete"))
        .bind(session.as_uuid())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    reclaim::orphans(connection, false).await
}

pub(super) async fn drain(connection: &mut SqliteConnection, session: SessionId) -> Result<()> {
    let drained = sqlx::query(sql!("session/drain"))
        .bind(session.as_uuid())
        .execute(connection)
        .await
        .map_err(store_error)?;
    if drained.rows_affected() == 0 { Err(Error::NotFound("worker")) } else { Ok(()) }
}

pub(super) async fn rescue(
    connection: &mut SqliteConnection,
    which: Rescue,
) -> Result<Vec<Rescued>> {
    let all = which == Rescue::All;
    sqlx::query(sql!("session/delete_expired"))
        .bind(all)
        .bind(clock::uptime())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    reclaim::orphans(connection, all).await
}
