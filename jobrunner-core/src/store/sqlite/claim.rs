use std::collections::HashSet;

use sqlx::SqliteConnection;
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{bind, clock, sql, steps, store_error};
use crate::{
    Error, Result, SessionId,
    lease::{Claim, Leased, Pick},
    store::engine::{
        fair::{self, Lane, Owner},
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
    let known: Option<(bool, String, bool)> = sqlx::query_as(sql!("claim/session"))
        .bind(session.as_uuid())
        .bind(clock::uptime())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let (is_draining, host, is_alone) = known.ok_or(Error::NotFound("session"))?;
    if is_draining || is_alone {
        return Ok(Vec::new());
    }
    promote(connection, session).await?;
    let claimant = Claimant { session, host };
    let leased = match pick {
        Pick::Ids(ids) => {
            let ids = ids.into_iter().map(|id| id.as_uuid()).collect();
            proposed(connection, &claimant, ids).await?
        }
        Pick::Fair { queues, want } => {
            let leased = next(connection, &claimant, &queues, want as usize).await?;
            if leased.is_empty() && want > 0 {
                suspect(connection, &claimant, &queues).await?
            } else {
                leased
            }
        }
    };
    for row in &leased {
        tally.leased(row.owner_id, row.batch_id)?;
    }
    leased.into_iter().map(LeasedRow::into_leased).collect()
}

/// Leases the jobs whose turn it is in these queues; none is all.
async fn next(
    connection: &mut SqliteConnection,
    claimant: &Claimant,
    queues: &[String],
    want: usize,
) -> Result<Vec<LeasedRow>> {
    let queues = render(queues)?;
    let mut owners: Vec<Owner> = sqlx::query_as(sql!("claim/owners"))
        .bind(&queues)
        .bind(&claimant.host)
        .bind(clock::now())
        .bind(want as i64)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?
        .into_iter()
        .map(|row: OwnerRow| row.into_owner())
        .collect();
    let mut lanes = Vec::new();
    // One owner alone may have a job in each of many lanes.
    let of_each = (want / owners.len().max(1)).max(fair::LANES);
    for owner in &owners {
        lanes.extend(lanes_of(connection, owner.id, of_each, (&queues, &claimant.host)).await?);
    }
    let each = fair::heads_of_each(want, lanes.len());
    for lane in &mut lanes {
        lane.heads = sqlx::query_scalar(sql!("claim/heads"))
            .bind(lane.id)
            .bind(each as i64)
            .bind(&claimant.host)
            .bind(clock::now())
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    give_turns(connection, claimant, &mut owners, &mut lanes, want).await
}

/// Leases those of the proposed jobs that may be.
async fn proposed(
    connection: &mut SqliteConnection,
    claimant: &Claimant,
    ids: Vec<Uuid>,
) -> Result<Vec<LeasedRow>> {
    type Row = (Uuid, i64, f64, Uuid, f64, f64, Option<i64>);
    let want = ids.len();
    let rows: Vec<Row> = sqlx::query_as(sql!("claim/proposed"))
        .bind(bind::ids(ids)?)
        .bind(&claimant.host)
        .bind(clock::now())
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let mut seen = HashSet::new();
    let (mut owners, mut lanes) = (Vec::<Owner>::new(), Vec::<Lane>::new());
    for (job, lane, lane_weight, owner, vtime, weight, allowance) in rows {
        if !seen.insert(job) {
            continue;
        }
        match lanes.iter_mut().find(|known| known.id == lane) {
            Some(known) => known.heads.push(job),
            None => lanes.push(Lane {
                id: lane,
                owner,
                vtime: 0.0,
                weight: lane_weight,
                is_one_of_several: false,
                heads: vec![job],
            }),
        }
        if owners.iter().all(|known| known.id != owner) {
            owners.push(Owner { id: owner, vtime, weight, allowance });
        }
    }
    give_turns(connection, claimant, &mut owners, &mut lanes, want).await
}

/// Leases the jobs whose turn it is among these lanes, and moves the virtual times on.
async fn give_turns(
    connection: &mut SqliteConnection,
    claimant: &Claimant,
    owners: &mut [Owner],
    lanes: &mut [Lane],
    want: usize,
) -> Result<Vec<LeasedRow>> {
    let before: Vec<f64> = owners.iter().map(|owner| owner.vtime).collect();
    let before_within: Vec<f64> = lanes.iter().map(|lane| lane.vtime).collect();
    let chosen = fair::share(owners, lanes, want);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let leased = lease(connection, claimant, chosen).await?;
    for (owner, _) in owners.iter().zip(before).filter(|(owner, before)| owner.vtime != *before) {
        let advance = sqlx::query(sql!("claim/advance")).bind(owner.id).bind(owner.vtime);
        advance.execute(&mut *connection).await.map_err(store_error)?;
    }
    let moved = lanes
        .iter()
        .zip(before_within)
        .filter(|(lane, before)| lane.is_one_of_several && lane.vtime != *before);
    for (lane, _) in moved {
        let advance = sqlx::query(sql!("claim/advance_lane")).bind(lane.id).bind(lane.vtime);
        advance.execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(leased)
}

/// Who claims.
struct Claimant {
    session: SessionId,
    host: String,
}

#[derive(FromRow)]
struct OwnerRow {
    id: Uuid,
    vtime: f64,
    weight: f64,
    allowance: Option<i64>,
}

impl OwnerRow {
    fn into_owner(self) -> Owner {
        let Self { id, vtime, weight, allowance } = self;
        Owner { id, vtime, weight, allowance }
    }
}

/// Leases a suspect, if there is one that may run here.
async fn suspect(
    connection: &mut SqliteConnection,
    claimant: &Claimant,
    queues: &[String],
) -> Result<Vec<LeasedRow>> {
    let chosen: Option<Uuid> = sqlx::query_scalar(sql!("claim/suspect"))
        .bind(claimant.session.as_uuid())
        .bind(render(queues)?)
        .bind(clock::now())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some(job) = chosen else { return Ok(Vec::new()) };
    make_claimable(connection, vec![job]).await?;
    let leased = proposed(connection, claimant, vec![job]).await?;
    let alone = sqlx::query(sql!(both "claim/alone")).bind(job);
    alone.execute(connection).await.map_err(store_error)?;
    Ok(leased)
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
    make_claimable(connection, due).await
}

async fn make_claimable(connection: &mut SqliteConnection, due: Vec<Uuid>) -> Result<()> {
    let promote = sqlx::query(steps!("claim/promote", "claim/promoted")).bind(bind::ids(due)?);
    promote.execute(connection).await.map(|_| ()).map_err(store_error)
}

/// The lanes of an owner whose turn is next, without their jobs.
async fn lanes_of(
    connection: &mut SqliteConnection,
    owner: Uuid,
    most: usize,
    (queues, host): (&str, &str),
) -> Result<Vec<Lane>> {
    let rows: Vec<(i64, f64, f64, bool)> = sqlx::query_as(sql!("claim/lanes"))
        .bind(queues)
        .bind(host)
        .bind(clock::now())
        .bind(most as i64)
        .bind(owner)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let lane = |(id, vtime, weight, is_one_of_several)| Lane {
        id,
        owner,
        vtime,
        weight,
        is_one_of_several,
        heads: Vec::new(),
    };
    Ok(rows.into_iter().map(lane).collect())
}

async fn lease(
    connection: &mut SqliteConnection,
    claimant: &Claimant,
    chosen: Vec<Uuid>,
) -> Result<Vec<LeasedRow>> {
    sqlx::query_as(steps!("claim/lease", "claim/taken", "claim/leased"))
        .bind(bind::ids(chosen)?)
        .bind(claimant.session.as_uuid())
        .bind(clock::now())
        .bind(&claimant.host)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}
