//! Single submissions that share a commit are stored by the same few statements, however many they
//! are.
//!
//! What cannot be stored so, because its lane does not exist yet or a statement fails for the sake
//! of one of the group, goes back to its caller, who stores it alone.

use std::collections::HashMap;

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{bind, clock, sql, steps, store_error};
use crate::{
    Result,
    store::{
        engine::values::{render, time},
        intake::{Known, Request, Settled, firsts, settle},
    },
};

/// Stores a group. After an error nothing of it may be kept.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    group: &[Request],
) -> Result<Vec<Settled>> {
    let known = known(connection, group).await?;
    let is_fresh = |request: &&Request| request.asked.repeats(&known).is_none();
    let fresh: Vec<&Request> = firsts(group).into_iter().filter(is_fresh).collect();
    let now = clock::now();
    let left_out = insert(connection, &fresh, now).await?;
    remember(connection, &fresh, now).await?;
    let at = time(now)?;
    let ids = fresh.iter().map(|request| request.asked.id.as_uuid());
    let stored: HashMap<_, _> =
        ids.filter(|id| !left_out.contains(id)).map(|id| (id, at)).collect();
    Ok(settle(group, &stored, known))
}

/// What earlier requests with the keys of these made.
async fn known(connection: &mut SqliteConnection, group: &[Request]) -> Result<Known> {
    let keys = group.iter().filter_map(|request| request.asked.key());
    let keys: Vec<_> = keys.map(|(owner, key)| (owner.simple().to_string(), key)).collect();
    if keys.is_empty() {
        return Ok(Known::new());
    }
    let known: Vec<(Uuid, String, Vec<u8>, Uuid)> = sqlx::query_as(sql!("submit/known"))
        .bind(render(&keys)?)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    Ok(known.into_iter().map(|(owner, key, digest, made)| ((owner, key), (digest, made))).collect())
}

/// Stores jobs and counts them. Returns those that were left out.
async fn insert(
    connection: &mut SqliteConnection,
    fresh: &[&Request],
    now: i64,
) -> Result<Vec<Uuid>> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let ids = fresh.iter().map(|request| request.asked.id.as_uuid());
    let raw_ids: Vec<u8> = ids.clone().flat_map(Uuid::into_bytes).collect();
    let owners = fresh.iter().map(|request| request.asked.owner.as_uuid());
    let owners: Vec<u8> = owners.flat_map(Uuid::into_bytes).collect();
    let specs: Vec<&str> = fresh.iter().map(|request| request.asked.rendered.as_str()).collect();
    let insert = steps!(
        "job/insert",
        "job/insert_ready",
        "job/insert_deferred",
        "submit/count",
        "submit/left_out"
    );
    sqlx::query_scalar(insert)
        .bind(bind::ids(ids.collect())?)
        .bind(now)
        .bind(raw_ids)
        .bind(format!("[{}]", specs.join(",")))
        .bind(owners)
        .bind(None::<Uuid>)
        .bind("")
        .bind(None::<i64>)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// Remembers the keys of those that were stored.
async fn remember(connection: &mut SqliteConnection, fresh: &[&Request], now: i64) -> Result<()> {
    let row = |request: &&Request| {
        let (owner, key) = request.asked.key()?;
        let digest = request.asked.idempotency.as_ref()?.digest;
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let made = request.asked.id.as_uuid().simple().to_string();
        Some((owner.simple().to_string(), key, digest, made))
    };
    let rows: Vec<_> = fresh.iter().filter_map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(sql!("submit/remember"))
        .bind(render(&rows)?)
        .bind(now)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
