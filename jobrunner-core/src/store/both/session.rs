//! Sessions of workers. How they expire is the database's own, in `expiry`.

use super::{Store, expiry, month, reclaim, sql, turn};
use crate::{
    Error, Result, SessionId,
    lease::{LeaseRef, Renewal, Rescue, Rescued},
    store::engine::decide,
};

pub(super) async fn renew(store: &Store, session: SessionId, held: &[LeaseRef]) -> Result<Renewal> {
    let (drain, leases) = expiry::renew(store, session).await?;
    let (renewal, unheard) = decide::renewal(held, &leases, drain);
    if !unheard.is_empty() {
        store.counted(move |c| Box::pin(reclaim::give_back(c, unheard))).await?;
    }
    Ok(renewal)
}

pub(super) async fn close(store: &Store, session: SessionId) -> Result<Vec<Rescued>> {
    store.execute(sqlx::query(sql!(both "session/delete")).bind(session.as_uuid())).await?;
    reclaim::orphans(store, Rescue::Expired).await
}

pub(super) async fn drain(store: &Store, session: SessionId) -> Result<()> {
    let drain = sqlx::query(sql!(both "session/drain")).bind(session.as_uuid());
    if store.execute(drain).await? == 0 { Err(Error::NotFound("worker")) } else { Ok(()) }
}

pub(super) async fn rescue(store: &Store, which: Rescue) -> Result<Vec<Rescued>> {
    expiry::forget(store, which == Rescue::All).await?;
    let rescued = reclaim::orphans(store, which).await?;
    store.end_forgotten().await?;
    turn::tidy(store).await?;
    month::make(store).await?;
    Ok(rescued)
}
