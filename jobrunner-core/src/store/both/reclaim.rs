//! Leases that end without a report: those of workers that went away, and those that a worker gives
//! back.

use super::{Connection, Store, exchange::decision, lease};
use crate::{
    Result,
    job::Reason,
    lease::{LeaseRef, Rescue, Rescued},
    store::engine::{decide::Decision, tally::Tally},
};

/// Reclaims the leases of sessions that no longer exist, or all leases, group by group.
pub(super) async fn orphans(store: &Store, which: Rescue) -> Result<Vec<Rescued>> {
    let mut rescued = Vec::new();
    loop {
        let group = store.counted(move |c| Box::pin(orphaned(c, which == Rescue::All))).await?;
        if group.is_empty() {
            return Ok(rescued);
        }
        rescued.extend(group);
    }
}

async fn orphaned(connection: &mut Connection, all: bool) -> Result<(Vec<Rescued>, Tally)> {
    let mut tally = Tally::default();
    let orphans = lease::orphans(connection, all).await?;
    let started = orphans.iter().filter(|orphan| orphan.held.is_started);
    let lost = started.map(|orphan| (orphan.held.job_id, Some(Reason::WorkerLost)));
    let mut decision = decision(connection, lost).await?;
    let rescued = decision.lost(&orphans, &mut tally)?;
    lease::end(connection, decision).await?;
    Ok((rescued, tally))
}

/// Gives back leases whose commands were not started.
pub(super) async fn give_back(
    connection: &mut Connection,
    leases: Vec<LeaseRef>,
) -> Result<((), Tally)> {
    let (mut decision, mut tally) = (Decision::default(), Tally::default());
    if !leases.is_empty() {
        decision.given_back(&lease::held(connection, &leases).await?, &mut tally)?;
        lease::end(connection, decision).await?;
    }
    Ok(((), tally))
}
