use std::collections::{HashMap, HashSet};

use sqlx::{FromRow, SqliteConnection};
use uuid::Uuid;

use super::{
    clock, fair,
    fair::Lane,
    rows::{id_list, number, parse, render},
    sql, store_error,
    tally::Tally,
};
use crate::{
    Error, Result, SessionId,
    lease::{Claim, LeaseRef, LeaseToken, Leased, Pick},
};

/// Leases what is to be claimed.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    Claim { session, pick }: Claim,
    tally: &mut Tally,
) -> Result<Vec<Leased>> {
    let known: Option<(bool, String)> = sqlx::query_as(sql!("claim/session"))
        .bind(session.as_uuid())
        .bind(clock::uptime())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let (is_draining, host) = known.ok_or(Error::NotFound("session"))?;
    if is_draining {
        return Ok(Vec::new());
    }
    promote(connection, session).await?;
    let (queues, want, proposed) = match pick {
        Pick::Fair { queues, want } => (queues, want as usize, None),
        Pick::Ids(ids) => (Vec::new(), ids.len(), Some(ids)),
    };
    let mut lanes = lanes(connection, &queues, &host).await?;
    fair::order(&mut lanes);
    let heads = match proposed {
        None => {
            keep_in_reach(&mut lanes, want);
            heads(connection, &lanes, want, &host).await?
        }
        Some(ids) => {
            let ids = ids.into_iter().map(|id| id.as_uuid());
            among(connection, &lanes, ids, &host).await?
        }
    };
    let chosen = fair::share(&mut lanes, &heads, want);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let leased = lease(connection, session, &host, &chosen).await?;
    for lane in &lanes {
        sqlx::query(sql!("claim/advance"))
            .bind(lane.id)
            .bind(lane.vtime)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    for row in &leased {
        tally.leased(row.owner_id, row.batch_id)?;
    }
    leased.into_iter().map(LeasedRow::into_leased).collect()
}

/// Makes scheduled jobs claimable whose time has come.
async fn promote(connection: &mut SqliteConnection, session: SessionId) -> Result<()> {
    let due: Vec<Uuid> = sqlx::query_scalar(sql!("claim/due"))
        .bind(clock::now())
        .bind(session.as_uuid())
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    if due.is_empty() {
        return Ok(());
    }
    let due = id_list(due)?;
    for sql in [sql!("claim/promote"), sql!("claim/promoted")] {
        sqlx::query(sql).bind(&due).execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(())
}

async fn lanes(
    connection: &mut SqliteConnection,
    queues: &[String],
    host: &str,
) -> Result<Vec<Lane>> {
    type Row = (i64, Uuid, f64, f64, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(sql!("claim/lanes"))
        .bind(render(queues)?)
        .bind(host)
        .bind(clock::now())
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let lane = |(id, owner, vtime, weight, allowance)| Lane { id, owner, vtime, weight, allowance };
    Ok(rows.into_iter().map(lane).filter(|l| l.allowance.is_none_or(|left| left > 0)).collect())
}

/// Leaves out the lanes that are too far behind to get one of the turns. An owner near the limit gets
/// fewer turns than it may have lanes; those that are left over must not keep others' lanes out.
fn keep_in_reach(lanes: &mut Vec<Lane>, turns: usize) {
    let mut left: HashMap<Uuid, i64> = HashMap::new();
    lanes.retain(|lane| {
        lane.allowance.is_none_or(|allowance| {
            let left = left.entry(lane.owner).or_insert(allowance);
            *left -= 1;
            *left >= 0
        })
    });
    lanes.truncate(turns);
}

/// The next jobs of each lane, as many as it could get turns.
async fn heads(
    connection: &mut SqliteConnection,
    lanes: &[Lane],
    want: usize,
    host: &str,
) -> Result<Vec<Vec<Uuid>>> {
    let mut heads = Vec::with_capacity(lanes.len());
    for lane in lanes {
        let jobs = sqlx::query_scalar(sql!("claim/heads"))
            .bind(lane.id)
            .bind(want as i64)
            .bind(host)
            .bind(clock::now())
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        heads.push(jobs);
    }
    Ok(heads)
}

/// Those of the proposed jobs that wait in these lanes, lane by lane.
async fn among(
    connection: &mut SqliteConnection,
    lanes: &[Lane],
    proposed: impl Iterator<Item = Uuid>,
    host: &str,
) -> Result<Vec<Vec<Uuid>>> {
    let mut seen = HashSet::new();
    let proposed = proposed.filter(|id| seen.insert(*id));
    let claimable: Vec<(i64, Uuid)> = sqlx::query_as(sql!("claim/proposed"))
        .bind(id_list(proposed)?)
        .bind(host)
        .bind(clock::now())
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let of = |lane: &Lane| {
        claimable.iter().filter(|(id, _)| *id == lane.id).map(|(_, job)| *job).collect()
    };
    Ok(lanes.iter().map(of).collect())
}

#[derive(FromRow)]
struct LeasedRow {
    token: i64,
    job_id: Uuid,
    owner_id: Uuid,
    batch_id: Option<Uuid>,
    attempt: i64,
    spec: String,
}

impl LeasedRow {
    fn into_leased(self) -> Result<Leased> {
        Ok(Leased {
            lease: LeaseRef { job: self.job_id.into(), token: LeaseToken(self.token) },
            owner: self.owner_id.into(),
            batch: self.batch_id.map(Into::into),
            attempt: number(self.attempt)?,
            spec: parse(&self.spec)?,
        })
    }
}

async fn lease(
    connection: &mut SqliteConnection,
    session: SessionId,
    host: &str,
    chosen: &[Uuid],
) -> Result<Vec<LeasedRow>> {
    let chosen = id_list(chosen.iter().copied())?;
    sqlx::query(sql!("claim/lease"))
        .bind(&chosen)
        .bind(session.as_uuid())
        .bind(clock::now())
        .bind(host)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(sql!("claim/taken"))
        .bind(&chosen)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query_as(sql!("claim/leased"))
        .bind(&chosen)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}
