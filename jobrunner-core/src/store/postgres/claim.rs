use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{sql, store_error};
use crate::{
    Error, Result, SessionId,
    lease::{Claim, Leased, Pick},
    store::engine::{
        fair::{self, Lane, Owner},
        rows::LeasedRow,
        tally::Tally,
    },
};

/// How many owners one claim locks. More would keep other claims from finding any.
const OWNERS: i64 = 8;

/// How often a claim looks for further owners when those it has locked held less than it wants.
const ROUNDS: usize = 4;

/// Leases what is to be claimed. Rows of owners stay locked until the transaction ends, so this
/// comes late in it.
pub(super) async fn claim(
    connection: &mut PgConnection,
    Claim { session, pick }: Claim,
    tally: &mut Tally,
) -> Result<Vec<Leased>> {
    let Some((host, is_suspected)) = host(connection, session).await? else {
        return Ok(Vec::new());
    };
    let claimant = Claimant { session, host };
    let leased = match pick {
        Pick::Ids(ids) => {
            let ids = ids.into_iter().map(|id| id.as_uuid()).collect();
            proposed(connection, &claimant, ids).await?
        }
        Pick::Fair { queues, want } => {
            let want = want as usize;
            let mut leased = Vec::new();
            for round in 0..ROUNDS {
                let left = want - leased.len();
                // Who holds owners already does not wait for others: two could wait for each other.
                let wait = if round == 0 { Wait::ForOne } else { Wait::ForNone };
                let asked = (&queues[..], left, wait);
                let Round { rows, is_last } = next(connection, &claimant, asked).await?;
                leased.extend(rows);
                if is_last || leased.len() >= want {
                    break;
                }
            }
            if leased.is_empty() && is_suspected && want > 0 {
                leased = suspect(connection, &claimant, &queues).await?;
            }
            leased
        }
    };
    for row in &leased {
        tally.leased(row.owner_id, row.batch_id)?;
    }
    leased.into_iter().map(LeasedRow::into_leased).collect()
}

/// Who claims.
struct Claimant {
    session: SessionId,
    host: String,
}

/// What to do when other claims have locked all owners.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    ForOne,
    ForNone,
}

/// What was leased for the owners that were locked at once.
struct Round {
    rows: Vec<LeasedRow>,
    /// There is nothing else to be leased.
    is_last: bool,
}

/// Leases what is next of the owners whose turn it is.
async fn next(
    connection: &mut PgConnection,
    claimant: &Claimant,
    (queues, want, wait): (&[String], usize, Wait),
) -> Result<Round> {
    let most = OWNERS.min(i64::try_from(want).unwrap_or(OWNERS));
    let mut rows: Vec<OwnerRow> = sqlx::query_as(sql!("claim/owners", "claim/free_owners"))
        .bind(queues)
        .bind(&claimant.host)
        .bind(most)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    if rows.is_empty() && wait == Wait::ForOne {
        rows = sqlx::query_as(sql!("claim/owners", "claim/next_owner"))
            .bind(queues)
            .bind(&claimant.host)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    let are_all = (rows.len() as i64) < most;
    let mut owners = with_allowances(connection, rows).await?;
    if owners.is_empty() {
        return Ok(Round { rows: Vec::new(), is_last: true });
    }
    let (mut lanes, places) = lanes(connection, &owners, queues, want, &claimant.host).await?;
    let is_last = are_all && !fair::may_have_more(&lanes, want);
    let chosen = fair::share(&mut owners, &mut lanes, want);
    let rows = lease(connection, claimant, &places, chosen, (&owners, &lanes)).await?;
    Ok(Round { is_last: is_last || rows.is_empty(), rows })
}

/// Leases those of the proposed jobs that may be. The owners are not locked for it: two claims of
/// different jobs need not wait for each other.
async fn proposed(
    connection: &mut PgConnection,
    claimant: &Claimant,
    ids: Vec<Uuid>,
) -> Result<Vec<LeasedRow>> {
    let want = ids.len();
    let rows: Vec<ProposedRow> = sqlx::query_as(sql!("claim/proposed"))
        .bind(ids)
        .bind(&claimant.host)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let mut places = Places::new();
    let mut lanes: Vec<Lane> = Vec::new();
    let mut owners: Vec<OwnerRow> = Vec::new();
    for row in rows {
        if places.insert(row.job_id, (row.lane_id, row.prio)).is_some() {
            continue;
        }
        match lanes.iter_mut().find(|lane| lane.id == row.lane_id) {
            Some(lane) => lane.heads.push(row.job_id),
            None => lanes.push(Lane {
                id: row.lane_id,
                owner: row.owner.id,
                vtime: 0.0,
                weight: row.lane_weight,
                is_one_of_several: false,
                heads: vec![row.job_id],
            }),
        }
        if owners.iter().all(|owner| owner.id != row.owner.id) {
            owners.push(row.owner);
        }
    }
    let mut owners = with_allowances(connection, owners).await?;
    let before: Vec<f64> = owners.iter().map(|owner| owner.vtime).collect();
    let chosen = fair::share(&mut owners, &mut lanes, want);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let leased = lease(connection, claimant, &places, chosen, (&[], &[])).await?;
    let ids: Vec<Uuid> = owners.iter().map(|owner| owner.id).collect();
    let steps: Vec<f64> =
        owners.iter().zip(before).map(|(owner, before)| owner.vtime - before).collect();
    sqlx::query(sql!("claim/spend"))
        .bind(ids)
        .bind(steps)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(leased)
}

/// Leases a suspect, if there is one that may run here and nothing else does.
async fn suspect(
    connection: &mut PgConnection,
    claimant: &Claimant,
    queues: &[String],
) -> Result<Vec<LeasedRow>> {
    let chosen: Option<Uuid> = sqlx::query_scalar(sql!("claim/suspect"))
        .bind(claimant.session.as_uuid())
        .bind(queues)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some(job) = chosen else { return Ok(Vec::new()) };
    let leased = proposed(connection, claimant, vec![job]).await?;
    // Another claim may work for its owner, or the queue have been paused meanwhile.
    let after = if leased.is_empty() { sql!("claim/put_back") } else { sql!(both "claim/alone") };
    sqlx::query(after).bind(job).execute(connection).await.map_err(store_error)?;
    Ok(leased)
}

/// The host of a session, and whether suspects wait; `None` when it claims nothing now. Scheduled
/// jobs whose time has come are made claimable first.
async fn host(connection: &mut PgConnection, session: SessionId) -> Result<Option<(String, bool)>> {
    let known: Option<(bool, String, bool, bool, bool)> = sqlx::query_as(sql!("claim/session"))
        .bind(session.as_uuid())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let (is_draining, host, is_due, is_suspected, is_alone) =
        known.ok_or(Error::NotFound("session"))?;
    if is_draining || is_alone {
        return Ok(None);
    }
    if is_due {
        let query = sqlx::query(sql!("claim/promote")).bind(session.as_uuid());
        let promoted = query.execute(connection).await;
        promoted.map_err(store_error)?;
    }
    Ok(Some((host, is_suspected)))
}

#[derive(FromRow)]
struct OwnerRow {
    id: Uuid,
    vtime: f64,
    weight: f64,
    is_limited: bool,
}

/// One of the next jobs of a lane.
#[derive(FromRow)]
struct HeadRow {
    owner_id: Uuid,
    lane_id: i64,
    vtime: f64,
    weight: f64,
    are_several: bool,
    prio: i16,
    job_id: Uuid,
}

#[derive(FromRow)]
struct ProposedRow {
    #[sqlx(flatten)]
    owner: OwnerRow,
    lane_id: i64,
    lane_weight: f64,
    prio: i16,
    job_id: Uuid,
}

/// The lanes of jobs, and their priorities there as `ready` has them.
type Places = HashMap<Uuid, (i64, i16)>;

/// The owners with what they may still have running. Limited ones that another claim works for are
/// left out: each would count without the other, and together they would take too many.
async fn with_allowances(connection: &mut PgConnection, rows: Vec<OwnerRow>) -> Result<Vec<Owner>> {
    let limited: Vec<Uuid> = rows.iter().filter(|row| row.is_limited).map(|row| row.id).collect();
    let allowances = allowances(connection, limited).await?;
    let owner = |row: OwnerRow| {
        let allowance = match (row.is_limited, allowances.get(&row.id)) {
            (false, _) => None,
            (true, Some(left)) if *left > 0 => Some(*left),
            (true, _) => return None,
        };
        Some(Owner { id: row.id, vtime: row.vtime, weight: row.weight, allowance })
    };
    Ok(rows.into_iter().filter_map(owner).collect())
}

/// How many more jobs these owners may have running, as far as no other claim works for them.
async fn allowances(
    connection: &mut PgConnection,
    owners: Vec<Uuid>,
) -> Result<HashMap<Uuid, i64>> {
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let limits: Vec<(Uuid, i64)> = sqlx::query_as(sql!("claim/limits"))
        .bind(owners)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    // A later statement than the one that locks: it sees what whoever held the lock before has
    // leased.
    let ours: Vec<Uuid> = limits.iter().map(|(owner, _)| *owner).collect();
    let running: Vec<(Uuid, i64)> = sqlx::query_as(sql!("claim/running"))
        .bind(ours)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let running: HashMap<Uuid, i64> = running.into_iter().collect();
    let left = |(owner, limit)| (owner, limit - running.get(&owner).copied().unwrap_or(0));
    Ok(limits.into_iter().map(left).collect())
}

/// The lanes of these owners whose turn is next, with as many of their jobs as they could get
/// turns, and where these are.
async fn lanes(
    connection: &mut PgConnection,
    owners: &[Owner],
    queues: &[String],
    want: usize,
    host: &str,
) -> Result<(Vec<Lane>, Places)> {
    let ids: Vec<Uuid> = owners.iter().map(|owner| owner.id).collect();
    let rows: Vec<HeadRow> = sqlx::query_as(sql!("claim/heads"))
        .bind(ids)
        .bind(queues)
        .bind(host)
        .bind(fair::LANES as i64)
        .bind(i64::try_from(want).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let (mut lanes, mut places) = (Vec::<Lane>::new(), Places::new());
    for row in rows {
        places.insert(row.job_id, (row.lane_id, row.prio));
        match lanes.iter_mut().find(|lane| lane.id == row.lane_id) {
            Some(lane) => lane.heads.push(row.job_id),
            None => lanes.push(Lane {
                id: row.lane_id,
                owner: row.owner_id,
                vtime: row.vtime,
                weight: row.weight,
                is_one_of_several: row.are_several,
                heads: vec![row.job_id],
            }),
        }
    }
    Ok((lanes, places))
}

/// Leases the chosen jobs and moves the virtual times of these owners and lanes on.
async fn lease(
    connection: &mut PgConnection,
    claimant: &Claimant,
    places: &Places,
    chosen: Vec<Uuid>,
    (owners, lanes): (&[Owner], &[Lane]),
) -> Result<Vec<LeasedRow>> {
    let found = |job: &Uuid| places.get(job).copied();
    let (of_jobs, prios): (Vec<i64>, Vec<i16>) = chosen.iter().filter_map(found).unzip();
    let owners = owners.iter().map(|owner| (owner.id, owner.vtime));
    let (owners, times): (Vec<Uuid>, Vec<f64>) = owners.unzip();
    let lanes = lanes.iter().filter(|lane| lane.is_one_of_several);
    let (lanes, times_within): (Vec<i64>, Vec<f64>) =
        lanes.map(|lane| (lane.id, lane.vtime)).unzip();
    sqlx::query_as(sql!("claim/lease"))
        .bind(chosen)
        .bind(of_jobs)
        .bind(prios)
        .bind(claimant.session.as_uuid())
        .bind(&claimant.host)
        .bind(owners)
        .bind(times)
        .bind(lanes)
        .bind(times_within)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}
