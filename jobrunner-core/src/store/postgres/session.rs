use std::{collections::HashMap, time::Duration};

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    PostgresStore, counts,
    end::{Ends, Held},
    finish::columns,
    rows::{number, render},
    sql, start, store_error,
    tally::Tally,
};
use crate::{
    Error, Result, SessionId,
    job::Reason,
    lease::{Finish, LeaseRef, LeaseToken, NewSession, Renewal, Rescue, Rescued},
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
        store.counted(move |c| Box::pin(take_back(c, Which::Named(unheard)))).await?;
    }
    Ok(Renewal { lost, cancel, drain })
}

pub(super) async fn close(store: &PostgresStore, session: SessionId) -> Result<Vec<Rescued>> {
    sqlx::query(sql!("session/delete"))
        .bind(session.as_uuid())
        .execute(&store.pools.changes)
        .await
        .map_err(store_error)?;
    orphans(store, Rescue::Expired).await
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
    let rescued = orphans(store, which).await?;
    counts::end_forgotten(&store.pools.changes).await?;
    Ok(rescued)
}

/// Takes back the leases of sessions that no longer exist, or all leases, group by group.
async fn orphans(store: &PostgresStore, which: Rescue) -> Result<Vec<Rescued>> {
    let mut rescued = Vec::new();
    loop {
        let group = store
            .counted(move |connection| {
                Box::pin(take_back(connection, Which::Orphans { all: which == Rescue::All }))
            })
            .await?;
        if group.is_empty() {
            return Ok(rescued);
        }
        rescued.extend(group);
    }
}

/// Which leases are taken back.
enum Which {
    Orphans { all: bool },
    Named(Vec<LeaseRef>),
}

/// What was not started waits again, what was started is a lost attempt.
async fn take_back(connection: &mut PgConnection, which: Which) -> Result<(Vec<Rescued>, Tally)> {
    let held: Vec<Held> = match which {
        Which::Orphans { all } => {
            sqlx::query_as(sql!("lease/orphans")).bind(all).fetch_all(&mut *connection).await
        }
        Which::Named(leases) => {
            let (jobs, tokens) = columns(&leases);
            let query = sqlx::query_as(sql!("lease/named")).bind(jobs).bind(tokens);
            query.fetch_all(&mut *connection).await
        }
    }
    .map_err(store_error)?;
    let (started, unstarted): (Vec<Held>, Vec<Held>) =
        held.into_iter().partition(|held| held.is_started);
    let stored = stored_ends(connection, &started).await?;

    let mut rescued = Vec::new();
    let lost = started.iter().map(|held| (held.job_id, Some(Reason::WorkerLost)));
    let mut ends = Ends::of(connection, lost).await?;
    for held in &started {
        let [stdout, stderr] = stored.get(&held.job_id).copied().unwrap_or_default();
        let ran = Duration::from_millis(number(held.ran_ms.max(0))?);
        let report = Finish::lost(held.lease(), ran, stdout, stderr);
        let waits = !ends.add(held, &report)?.is_terminal();
        rescued.push(Rescued { lease: held.lease(), batch: held.batch_id.map(Into::into), waits });
    }
    let returned: Vec<LeaseRef> = unstarted.iter().map(Held::lease).collect();
    start::release(connection, &returned).await?;
    for held in &unstarted {
        let batch = held.batch_id.map(Into::into);
        rescued.push(Rescued { lease: held.lease(), batch, waits: true });
    }
    let tally = ends.write(connection).await?;
    Ok((rescued, tally))
}

/// How far the two streams of the running attempts are stored, by job.
async fn stored_ends(
    connection: &mut PgConnection,
    held: &[Held],
) -> Result<HashMap<Uuid, [u64; 2]>> {
    if held.is_empty() {
        return Ok(HashMap::new());
    }
    let (jobs, attempts): (Vec<Uuid>, Vec<i64>) =
        held.iter().map(|held| (held.job_id, held.attempts)).unzip();
    let rows: Vec<(Uuid, i64, Option<i64>)> = sqlx::query_as(sql!("log/ends"))
        .bind(jobs)
        .bind(attempts)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let mut ends: HashMap<Uuid, [u64; 2]> = HashMap::new();
    for (job, stream, end) in rows {
        let place = usize::from(stream == 2);
        ends.entry(job).or_default()[place] = number(end.unwrap_or(0))?;
    }
    Ok(ends)
}
