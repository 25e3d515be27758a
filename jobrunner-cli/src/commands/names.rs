//! What ids in tables stand for.

use std::collections::{BTreeSet, HashMap};

use futures_util::{StreamExt, stream};
use jobrunner_core::{Batch, BatchId, Role, User, UserId};

use crate::{
    client::{Client, Pages, routes},
    exit::Failure,
    results::Results,
};

/// How many batches are asked for their name; of others the id is shown.
const BATCHES: usize = 200;

/// How many of them at a time.
const AT_A_TIME: usize = 8;

/// The addresses of these accounts: the caller's own, and for an admin those of all.
pub(crate) async fn owners(
    client: &Client,
    ids: impl Iterator<Item = UserId>,
) -> Result<HashMap<UserId, String>, Failure> {
    let ids: BTreeSet<UserId> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let me = client.me().await?;
    if me.role == Role::Admin && ids.iter().any(|id| *id != me.id) {
        let users: Vec<User> =
            Pages::new(client, routes::USERS, Vec::new(), usize::MAX).all().await?;
        return Ok(users.into_iter().map(|user| (user.id, user.email)).collect());
    }
    Ok(HashMap::from([(me.id, me.email)]))
}

/// The names of these batches.
pub(crate) async fn batches(
    client: &Client,
    ids: impl Iterator<Item = BatchId>,
) -> Result<HashMap<BatchId, String>, Failure> {
    let ids: BTreeSet<BatchId> = ids.collect();
    let ask = |id| async move { client.batch(id).await };
    let newest: Vec<BatchId> = ids.into_iter().rev().take(BATCHES).collect();
    let asked: Vec<Result<Batch, Failure>> =
        stream::iter(newest).map(ask).buffer_unordered(AT_A_TIME).collect().await;
    let mut names = HashMap::new();
    for batch in asked {
        match batch {
            Ok(batch) => {
                names.insert(batch.id, batch.name);
            }
            // Deleted since.
            Err(failure) if failure.is_not_there() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(names)
}
