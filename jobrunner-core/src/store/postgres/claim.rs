use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{sql, store_error};
use crate::{
    Error, Result, SessionId,
    lease::{Claim, Leased, Pick},
    store::engine::{
        fair::{self, Lane},
        rows::LeasedRow,
        tally::Tally,
    },
};

/// How many lanes one claim locks. More would keep other claims from finding any.
const LANES: i64 = 8;

/// How often a claim looks for further lanes when those it has locked held less than it wants.
const ROUNDS: usize = 4;

/// Leases what is to be claimed. Rows of lanes stay locked until the transaction ends, so this
/// comes late in it.
pub(super) async fn claim(
    connection: &mut PgConnection,
    Claim { session, pick }: Claim,
    tally: &mut Tally,
) -> Result<Vec<Leased>> {
    let Some(host) = host(connection, session).await? else {
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
            for _ in 0..ROUNDS {
                let left = want - leased.len();
                let Round { rows, is_last } = next(connection, &claimant, &queues, left).await?;
                leased.extend(rows);
                if is_last || leased.len() >= want {
                    break;
                }
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

/// What was leased from the lanes that were locked at once.
struct Round {
    rows: Vec<LeasedRow>,
    /// There are no other lanes.
    is_last: bool,
}

/// Leases what is next in the lanes whose turn it is.
async fn next(
    connection: &mut PgConnection,
    claimant: &Claimant,
    queues: &[String],
    want: usize,
) -> Result<Round> {
    let most = LANES.min(i64::try_from(want).unwrap_or(LANES));
    let mut rows: Vec<LaneRow> = sqlx::query_as(sql!("claim/lanes", "claim/free_lanes"))
        .bind(queues)
        .bind(&claimant.host)
        .bind(most)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    if rows.is_empty() {
        rows = sqlx::query_as(sql!("claim/lanes", "claim/next_lane"))
            .bind(queues)
            .bind(&claimant.host)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    let is_last = (rows.len() as i64) < most;
    let mut lanes = with_allowances(connection, rows).await?;
    if lanes.is_empty() {
        return Ok(Round { rows: Vec::new(), is_last: true });
    }
    fair::order(&mut lanes);
    let (heads, places) = heads(connection, &lanes, want, &claimant.host).await?;
    let chosen = fair::share(&mut lanes, &heads, want);
    let rows = lease(connection, claimant, &places, chosen, &lanes).await?;
    Ok(Round { is_last: is_last || rows.is_empty(), rows })
}

/// Leases those of the proposed jobs that may be. The lanes are not locked for it: two claims of
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
    let mut waiting: HashMap<i64, Vec<Uuid>> = HashMap::new();
    let mut lanes = Vec::new();
    for row in rows {
        if places.insert(row.job_id, (row.lane.id, row.prio)).is_some() {
            continue;
        }
        let jobs = waiting.entry(row.lane.id).or_default();
        jobs.push(row.job_id);
        if jobs.len() == 1 {
            lanes.push(row.lane);
        }
    }
    let mut lanes = with_allowances(connection, lanes).await?;
    let heads: Vec<Vec<Uuid>> =
        lanes.iter().map(|lane| waiting.remove(&lane.id).unwrap_or_default()).collect();
    let before: Vec<f64> = lanes.iter().map(|lane| lane.vtime).collect();
    let chosen = fair::share(&mut lanes, &heads, want);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let leased = lease(connection, claimant, &places, chosen, &[]).await?;
    let ids: Vec<i64> = lanes.iter().map(|lane| lane.id).collect();
    let steps: Vec<f64> =
        lanes.iter().zip(before).map(|(lane, before)| lane.vtime - before).collect();
    sqlx::query(sql!("claim/spend"))
        .bind(ids)
        .bind(steps)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(leased)
}

/// The host of a session; `None` when it claims nothing any more. Scheduled jobs whose time has
/// come are made claimable first.
async fn host(connection: &mut PgConnection, session: SessionId) -> Result<Option<String>> {
    let known: Option<(bool, String, bool)> = sqlx::query_as(sql!("claim/session"))
        .bind(session.as_uuid())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let (is_draining, host, is_due) = known.ok_or(Error::NotFound("session"))?;
    if is_due && !is_draining {
        let query = sqlx::query(sql!("claim/promote")).bind(session.as_uuid());
        let promoted = query.execute(connection).await;
        promoted.map_err(store_error)?;
    }
    Ok((!is_draining).then_some(host))
}

#[derive(FromRow)]
struct LaneRow {
    id: i64,
    owner_id: Uuid,
    vtime: f64,
    weight: f64,
    is_limited: bool,
    /// How far behind an idle lane is taken to be.
    #[sqlx(default)]
    least: Option<f64>,
}

#[derive(FromRow)]
struct ProposedRow {
    #[sqlx(flatten)]
    lane: LaneRow,
    prio: i16,
    job_id: Uuid,
}

/// The lanes of jobs, and their priorities there as `ready` has them.
type Places = HashMap<Uuid, (i64, i16)>;

/// The lanes with what their owners may still have running. Those of limited owners that another
/// claim works for are left out: each would count without the other, and together they would take
/// too many.
async fn with_allowances(connection: &mut PgConnection, rows: Vec<LaneRow>) -> Result<Vec<Lane>> {
    let limited: Vec<Uuid> =
        rows.iter().filter(|row| row.is_limited).map(|row| row.owner_id).collect();
    let allowances = allowances(connection, limited).await?;
    let lane = |row: LaneRow| {
        let allowance = match (row.is_limited, allowances.get(&row.owner_id)) {
            (false, _) => None,
            (true, Some(left)) if *left > 0 => Some(*left),
            (true, _) => return None,
        };
        let vtime = row.least.map_or(row.vtime, |least| row.vtime.max(least));
        Some(Lane { id: row.id, owner: row.owner_id, vtime, weight: row.weight, allowance })
    };
    Ok(rows.into_iter().filter_map(lane).collect())
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

/// The next jobs of each lane, as many as it could get turns.
async fn heads(
    connection: &mut PgConnection,
    lanes: &[Lane],
    want: usize,
    host: &str,
) -> Result<(Vec<Vec<Uuid>>, Places)> {
    let ids: Vec<i64> = lanes.iter().map(|lane| lane.id).collect();
    let rows: Vec<(i64, i16, Uuid)> = sqlx::query_as(sql!("claim/heads"))
        .bind(ids)
        .bind(i64::try_from(want).unwrap_or(i64::MAX))
        .bind(host)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let of =
        |lane: &Lane| rows.iter().filter(|(id, ..)| *id == lane.id).map(|(.., job)| *job).collect();
    let heads = lanes.iter().map(of).collect();
    Ok((heads, rows.into_iter().map(|(lane, prio, job)| (job, (lane, prio))).collect()))
}

/// Leases the chosen jobs and moves the virtual time of the lanes on.
async fn lease(
    connection: &mut PgConnection,
    claimant: &Claimant,
    places: &Places,
    chosen: Vec<Uuid>,
    lanes: &[Lane],
) -> Result<Vec<LeasedRow>> {
    let found = |job: &Uuid| places.get(job).copied();
    let (of_jobs, prios): (Vec<i64>, Vec<i16>) = chosen.iter().filter_map(found).unzip();
    let (ids, times): (Vec<i64>, Vec<f64>) = lanes.iter().map(|lane| (lane.id, lane.vtime)).unzip();
    sqlx::query_as(sql!("claim/lease"))
        .bind(chosen)
        .bind(of_jobs)
        .bind(prios)
        .bind(claimant.session.as_uuid())
        .bind(&claimant.host)
        .bind(ids)
        .bind(times)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}
