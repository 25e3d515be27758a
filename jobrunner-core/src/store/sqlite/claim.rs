use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{bind, clock, sql, steps, store_error};
use crate::{
    Error, Result, SessionId,
    lease::{Claim, Leased, Pick},
    store::engine::{
        fair::{self, Lane},
        rows::LeasedRow,
        tally::Tally,
        values::render,
    },
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
    let leased = lease(connection, session, &host, chosen).await?;
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
    let promote = sqlx::query(steps!("claim/promote", "claim/promoted")).bind(bind::ids(due)?);
    promote.execute(connection).await.map(|_| ()).map_err(store_error)
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

/// Leaves out the lanes that are too far behind to get one of the turns. An owner near the limit
/// gets fewer turns than it may have lanes; those that are left over must not keep others' lanes
/// out.
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
        .bind(bind::ids(proposed.collect())?)
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

async fn lease(
    connection: &mut SqliteConnection,
    session: SessionId,
    host: &str,
    chosen: Vec<Uuid>,
) -> Result<Vec<LeasedRow>> {
    sqlx::query_as(steps!("claim/lease", "claim/taken", "claim/leased"))
        .bind(bind::ids(chosen)?)
        .bind(session.as_uuid())
        .bind(clock::now())
        .bind(host)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}
