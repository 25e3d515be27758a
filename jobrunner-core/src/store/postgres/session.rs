use std::collections::HashMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::{PostgresStore, counts, reclaim, rows::render, sql, store_error};
use crate::{
    Error, Result, SessionId,
    lease::{LeaseRef, LeaseToken, NewSession, Renewal, Rescue, Rescued},
};

pub(super) async fn open(store: &PostgresStore, session: NewSession) -> Result<()> {
    let ttl = i64::try_from(session.ttl.as_millis()).unwrap_or(i64::MAX / 2);
    sqlx::query(sql!("session/insert"))
        .bind(session.id.as_uuid())
        .bind(session.host)
        .bind(i64::from(session.pid))
        .bind(i64::from(session.slots))
        .bind(render(&session.queues)?)
        .bind(ttl)
        .bind(session.containment.as_str())
        .execute(&store.pools.reserved)
        .await
        .map(|_| ())
        .map_err(store_error)
}

#[derive(FromRow)]
struct SessionLease {
    token: i64,
    job_id: Uuid,
    cancel: bool,
    is_old: bool,
}

impl SessionLease {
    fn lease(&self) -> LeaseRef {
        LeaseRef { job: self.job_id.into(), token: LeaseToken(self.token) }
    }
}

pub(super) async fn renew(
    store: &PostgresStore,
    session: SessionId,
    held: &[LeaseRef],
) -> Result<Renewal> {
    let renewed: Option<bool> = sqlx::query_scalar(sql!("session/renew"))
        .bind(session.as_uuid())
        .fetch_optional(&store.pools.reserved)
        .await
        .map_err(store_error)?;
    let drain = renewed.ok_or(Error::NotFound("session"))?;
    let leases: Vec<SessionLease> = sqlx::query_as(sql!("lease/of_session"))
        .bind(session.as_uuid())
        .fetch_all(&store.pools.reserved)
        .await
        .map_err(store_error)?;
    let known: HashMap<LeaseRef, SessionLease> =
        leases.into_iter().map(|lease| (lease.lease(), lease)).collect();
    let is_canceled = |lease: &&LeaseRef| known.get(*lease).is_some_and(|known| known.cancel);
    let cancel = held.iter().filter(is_canceled).copied().collect();
    let lost = held.iter().filter(|lease| !known.contains_key(lease)).copied().collect();

    // The worker never heard of a lease when the answer to its claim was lost. One that was just
    // claimed may still be on its way.
    let is_unheard = |lease: &LeaseRef, known: &SessionLease| known.is_old && !held.contains(lease);
    let unheard: Vec<LeaseRef> =
        known.iter().filter(|(lease, known)| is_unheard(lease, known)).map(|(l, _)| *l).collect();
    if !unheard.is_empty() {
        store.counted(move |c| Box::pin(reclaim::give_back(c, unheard))).await?;
    }
    Ok(Renewal { lost, cancel, drain })
}

pub(super) async fn close(store: &PostgresStore, session: SessionId) -> Result<Vec<Rescued>> {
    sqlx::query(sql!("session/delete"))
        .bind(session.as_uuid())
        .execute(&store.pools.changes)
        .await
        .map_err(store_error)?;
    reclaim::orphans(store, Rescue::Expired).await
}

pub(super) async fn drain(store: &PostgresStore, session: SessionId) -> Result<()> {
    let drained = sqlx::query(sql!("session/drain"))
        .bind(session.as_uuid())
        .execute(&store.pools.changes)
        .await
        .map_err(store_error)?;
    if drained.rows_affected() == 0 { Err(Error::NotFound("worker")) } else { Ok(()) }
}

pub(super) async fn rescue(store: &PostgresStore, which: Rescue) -> Result<Vec<Rescued>> {
    sqlx::query(sql!("session/delete_expired"))
        .bind(which == Rescue::All)
        .execute(&store.pools.changes)
        .await
        .map_err(store_error)?;
    let rescued = reclaim::orphans(store, which).await?;
    counts::end_forgotten(&store.pools.changes).await?;
    Ok(rescued)
}
